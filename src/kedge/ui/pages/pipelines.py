"""Pipeline runs: the list, one run with its graph, and the code that it ran."""

import itertools
from pathlib import Path

from kedge.core.home import Home
from kedge.core.pipelines import PipelineRun, StepRun
from kedge.core.services import Services
from kedge.ui import layout, shown, tables
from kedge.ui.blocks import Action, Cell, Code, Facts, Field, Filter, Graph, GraphNode, Notice, Page, Table

_LIST = 200
_LOG_BYTES = 64 * 1024
_CODE_FILES = 50


def pipelines(services: Services, *, name: str, state: str) -> Page:
    """Runs, newest first, of one pipeline or state where asked."""
    now_ms = services.clock.now_ms()
    every = services.pipelines.runs(limit=_LIST)
    names = sorted({run.pipeline for run in every})
    found = [run for run in every if name in ("", run.pipeline) and state in ("", run.state)]
    states = ("queued", "running", "succeeded", "failed", "cancelled")
    fields = (
        Field(name="name", label="Pipeline", value=name, options=(("", "any"), *((n, n) for n in names))),
        Field(name="state", label="State", value=state, options=(("", "any"), *((s, s) for s in states))),
    )
    live = any(run.state in ("queued", "running") for run in found)
    table = tables.pipeline_runs(found, now_ms, title=f"{len(found)} runs")
    blocks = (Filter(action="/pipelines", fields=fields), table)
    return Page(title="Pipelines", section="pipelines", blocks=blocks, live=live)


def pipeline(services: Services, run_id: str, *, step: str) -> Page:
    """The graph with its states, one step's log, what was read and what came of it."""
    now_ms = services.clock.now_ms()
    run = services.pipelines.get_run(run_id)
    steps = services.pipelines.steps(run_id)
    chosen = next((each for each in steps if each.name == step), None)
    if chosen is None:
        chosen = next((each for each in steps if each.state in ("failed", "running")), None)
    blocks: list[object] = []
    if run.error:
        blocks.append(Notice(tone="bad", text=run.error))
    if steps:
        blocks.append(graph(run, steps, chosen, now_ms))
    if chosen is not None:
        blocks += _step(services, run, chosen, now_ms)
    blocks.append(_facts(run, now_ms))
    blocks += [
        _read(services, run_id),
        tables.reports(services.reports.reports(pipeline_run_id=run_id), now_ms),
    ]
    tracked = services.tracking.runs_of_pipeline(run_id)
    heads = tables.headings("MLflow run", "experiment", "state", "when", "#took", "#auc", "#brier")
    made = tables.tracked_runs(tracked, now_ms, ("auc", "brier"), heads, services.addresses.web)
    blocks.append(
        Table(title="MLflow runs", headings=heads, rows=made.rows, empty="None tracked in this run.")
    )
    active = run.state in ("queued", "running")
    actions = (
        Action(
            label="Cancel",
            action=shown.to("pipelines", run_id, "cancel"),
            confirm="Stop this run?",
            tone="bad",
        ),
    )
    return Page(
        title=run.pipeline,
        section="pipelines",
        crumbs=(shown.link("Pipelines", "/pipelines"),),
        tags=(shown.state(run.state), shown.short(run.id)),
        actions=actions if active else (),
        blocks=tuple(blocks),
        live=active,
    )


def graph(run: PipelineRun, steps: list[StepRun], chosen: StepRun | None, now_ms: int) -> Graph:
    """The steps as boxes, left to right."""
    depends_on = {step.name: step.depends_on for step in steps}
    places, width, height = layout.places(depends_on)
    nodes = tuple(
        GraphNode(
            x=places[step.name][0],
            y=places[step.name][1],
            width=layout.NODE_WIDTH,
            height=layout.NODE_HEIGHT,
            name=step.name,
            state=step.state,
            note=_note(step, now_ms),
            href=shown.to("pipelines", run.id, step=step.name) + "#step",
            chosen=chosen is not None and chosen.name == step.name,
        )
        for step in steps
    )
    edges = itertools.chain.from_iterable(
        (layout.edge(places[need], places[step.name]) for need in step.depends_on) for step in steps
    )
    return Graph(title="Steps", width=width, height=height, nodes=nodes, edges=tuple(edges))


def _note(step: StepRun, now_ms: int) -> str:
    if step.started_ms is None or step.state == "cached":
        return step.state
    took = shown.seconds(((step.ended_ms or now_ms) - step.started_ms) / 1000)
    again = f", attempt {step.attempt}" if step.attempt > 1 else ""
    return f"{step.state} · {took}{again}"


def _step(services: Services, run: PipelineRun, step: StepRun, now_ms: int) -> list[object]:
    rows = [
        ("function", Cell(text=step.function, mono=True)),
        ("state", shown.state(step.state)),
        ("cache", Cell(text=step.cache_note or "not cached", tone="" if step.cache_note else "quiet")),
        ("took", shown.span(step.started_ms, step.ended_ms or now_ms)),
    ]
    if step.output is not None:
        rows.append(
            (
                "output",
                Cell(text=f"{step.output.format}, {step.output.size_bytes:,} bytes: {step.output.summary}"),
            )
        )
    blocks: list[object] = [Facts(title=f"Step {step.name}", rows=tuple(rows))]
    if step.error:
        blocks.append(Code(title="Error", text=step.error))
    log = log_tail(services, run.id, step)
    if log:
        blocks.append(
            Code(title="Log", text=log, note="" if len(log) < _LOG_BYTES else "the end of a longer log")
        )
    return blocks


def log_tail(services: Services, run_id: str, step: StepRun) -> str:
    """The end of what a step has printed."""
    path = Path(Home(services.home).logs / "runs" / run_id / f"{step.name}.log")
    if step.log_object and services.objects.has(step.log_object):
        path = services.objects.path(step.log_object)
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_BYTES))
        return file.read().decode(errors="replace")


def _facts(run: PipelineRun, now_ms: int) -> Facts:
    params = ", ".join(f"{name} = {value!r}" for name, value in run.params.items())
    rows = [
        ("started by", tables.trigger(run.trigger)),
        ("parameters", Cell(text=params or "none", mono=bool(params))),
        ("submitted", Cell(text=shown.moment(run.created_ms))),
        (
            "took",
            shown.span(run.started_ms, run.ended_ms or now_ms)
            if run.started_ms
            else Cell(text="not started"),
        ),
        ("entry", Cell(text=run.entry, mono=True)),
    ]
    if run.code_id:
        rows.append(
            (
                "code",
                shown.link("the files that ran", shown.to("pipelines", run.id, "code"), testid="code-link"),
            )
        )
    if run.result is not None:
        rows.append(("result", Cell(text=str(run.result)[:400], mono=True)))
    return Facts(title="Run", rows=tuple(rows))


def _read(services: Services, run_id: str) -> Table:
    rows = []
    for use in services.datasets.uses_of_run(run_id):
        version = services.datasets.get_by_id(use.dataset_version_id)
        text = f"{version.dataset}@{version.tag or version.number}"
        href = shown.to("datasets", version.dataset, version.number)
        rows.append(
            (shown.link(text, href, testid="data-link"), Cell(text=use.step), shown.count(version.rows))
        )
    heads = tables.headings("data version", "read by step", "#rows")
    return Table(title="Data read", headings=heads, rows=tuple(rows), empty="No dataset version was read.")


def code(services: Services, run_id: str) -> Page:
    """The files of the code snapshot, and the commit that they came from."""
    run = services.pipelines.get_run(run_id)
    crumbs = (shown.link("Pipelines", "/pipelines"), shown.link(run.pipeline, shown.to("pipelines", run_id)))
    if run.code_id is None:
        notice = Notice(
            tone="quiet", text="The code of this run was not captured: it ended before it was loaded."
        )
        return Page(title="Code", section="pipelines", crumbs=crumbs, blocks=(notice,))
    snapshot = services.pipelines.get_code(run.code_id)
    commit = snapshot.git_commit or "no git repository"
    dirty = " with uncommitted changes; the files below are what ran" if snapshot.git_dirty else ""
    facts = Facts(
        rows=(
            ("entry", Cell(text=snapshot.entry, mono=True)),
            ("git commit", Cell(text=commit + dirty, mono=True)),
            ("snapshot", Cell(text=snapshot.id, mono=True)),
        )
    )
    # The entry's own file first: it is what the reader looks for.
    entry = snapshot.entry.rpartition(":")[0]
    names = sorted(snapshot.files, key=lambda name: (not _is_entry(name, entry), name))
    files = tuple(
        Code(title=name, text=services.objects.path(snapshot.files[name]).read_text(errors="replace"))
        for name in names[:_CODE_FILES]
    )
    return Page(title="Code", section="pipelines", crumbs=crumbs, blocks=(facts, *files))


def _is_entry(name: str, entry: str) -> bool:
    return entry.endswith(name) or name == entry.replace(".", "/") + ".py"
