"""Tables sorted and filtered by the page's address."""

import pytest

from kedge.ui import shown
from kedge.ui.arrange import arranged
from kedge.ui.blocks import Cell, Columns, Heading, Page, Table
from kedge.ui.render import render
from kedge.ui.tables import headings

NAMES = ("v9", "v10", "Apple", "banana", "", "<b>", "v1", "zed", "kite", "oak", "elm")


def page(title: str = "12 things") -> Page:
    rows = tuple((Cell(text=name), shown.figure(float(len(name)) if name else None)) for name in NAMES)
    return Page(title="P", blocks=(Table(title=title, headings=headings("name", "#length"), rows=rows),))


def column(made: Page, place: int = 0, table: int = 0) -> list[str]:
    return [row[place].text for row in made.blocks[table].rows]


def test_without_a_wish_the_rows_stay_in_order():
    assert column(arranged(page(), "/p", {})) == list(NAMES)


def test_texts_sort_as_people_count_and_empty_ones_come_last_both_ways():
    up = column(arranged(page(), "/p", {"sort.things": "name"}))
    down = column(arranged(page(), "/p", {"sort.things": "-name"}))
    assert up[-1] == down[-1] == ""
    assert up[:-1] == list(reversed(down[:-1]))
    assert up.index("v9") < up.index("v10")


def test_numbers_sort_as_numbers_largest_first_at_the_first_click():
    made = arranged(page(), "/p", {"q": "a b"})
    length = made.blocks[0].headings[1]
    assert length.href == "/p?q=a+b&sort.things=-length"
    assert length.sorted == ""
    again = arranged(page(), "/p", {"sort.things": "-length"}).blocks[0].headings[1]
    assert (again.sorted, again.href) == ("descending", "/p?sort.things=length")
    assert column(arranged(page(), "/p", {"sort.things": "-length"}), 1)[:2] == ["6", "5"]


def test_a_filter_keeps_the_rows_that_hold_the_text_and_the_rest_of_the_address():
    made = arranged(page(), "/p", {"find.things": "V1", "sort.things": "name"})
    assert column(made) == ["v1", "v10"]
    fields = {field.name: (field.value, field.hidden) for field in made.blocks[0].finder}
    assert fields == {"sort.things": ("name", True), "find.things": ("V1", False)}


def test_a_filter_that_nothing_matches_says_so_and_can_be_changed():
    html = render(arranged(page(), "/p", {"find.things": "<script>"}))
    assert "No row holds" in html
    assert "<script>&" not in html
    assert html.count('name="find.things"') == 1


@pytest.mark.parametrize("wish", ["nonsense", "-", "--name", "-" * 300])
def test_a_wish_for_no_column_changes_nothing(wish: str):
    assert column(arranged(page(), "/p", {"sort.things": wish})) == list(NAMES)


def test_tables_beside_each_other_have_names_of_their_own():
    both = Page(title="P", blocks=(Columns(blocks=(page().blocks[0], page().blocks[0])),))
    made = arranged(both, "/p", {"sort.things-2": "name"}).blocks[0]
    assert [row[0].text for row in made.blocks[0].rows] == list(NAMES)
    assert [row[0].text for row in made.blocks[1].rows] != list(NAMES)


def test_a_table_that_sorts_itself_stays_as_it_is():
    own = Page(
        title="P",
        blocks=(
            Table(
                headings=(Heading(text="name", href="/p?sort=name"),),
                rows=((Cell(text="b"),), (Cell(text="a"),)),
            ),
        ),
    )
    assert arranged(own, "/p", {"sort.rows": "name"}) == own


def test_short_tables_have_no_filter_until_one_is_asked_for():
    short = Page(title="P", blocks=(Table(title="T", headings=headings("a"), rows=((Cell(text="x"),),)),))
    assert arranged(short, "/p", {}).blocks[0].finder == ()
    assert arranged(short, "/p", {"find.t": "y"}).blocks[0].finder


def test_a_long_table_is_turned_page_by_page():
    rows = tuple((Cell(text=f"c{n}"), shown.figure(float(n))) for n in range(450))
    long = Page(title="P", blocks=(Table(title="Columns", headings=headings("name", "#n"), rows=rows),))
    first = arranged(long, "/p", {"sort.columns": "-n"}).blocks[0]
    assert [row[0].text for row in first.rows] == [f"c{n}" for n in range(449, 249, -1)]
    assert [(cell.text, cell.href) for cell in first.links] == [
        ("next page", "/p?sort.columns=-n&page.columns=2")
    ]
    last = arranged(long, "/p", {"page.columns": "3"}).blocks[0]
    assert [row[0].text for row in last.rows] == [f"c{n}" for n in range(400, 450)]
    assert [cell.text for cell in last.links] == ["previous page"]
    assert "Page 3 of 3, 450 rows" in last.note
    assert last.headings[0].href == "/p?sort.columns=name"  # another order begins at its first page
    found = arranged(long, "/p", {"page.columns": "3", "find.columns": "c44"}).blocks[0]
    assert len(found.rows) == 11
    assert found.links == ()
    for odd in ("0", "99", "x", "9" * 5000):
        assert arranged(long, "/p", {"page.columns": odd}).blocks[0].rows
