"""The loop from outside: data in, train, replay months as traffic, let monitors alert and pipelines answer."""

import argparse

import flows
import pyarrow.compute as pc
from flows import FEATURES, NAME

import kedge
from kedge.demo.flights import load_year

DAY_MS = 86_400_000


def main() -> None:
    """Play the months up to --last with one flight in --every."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=4, choices=(1, 2, 4, 8, 16, 32))
    parser.add_argument("--last", type=int, default=6)
    arguments = parser.parse_args()
    year = load_year()
    year = year.filter(pc.equal(pc.bit_wise_and(year["flight_id"], arguments.every - 1), 0))
    months = {month: year.filter(pc.equal(year["month"], month)) for month in range(1, arguments.last + 1)}

    versions = [kedge.dataset(NAME).add(months[month], tag=f"2013-{month:02d}").id for month in (1, 2, 3)]
    print("first model:", kedge.submit(flows.learn, versions=versions).result())
    kedge.monitor.performance("delays-quality", endpoint=NAME, period="month", alert_when={"auc_below": 0.55})
    kedge.trigger("relearn", monitor="delays-drift", pipeline=flows.relearn, params={"alert": "$alert_id"})

    for month in range(4, arguments.last + 1):
        end_ms = replay(months[month])
        kedge.dataset(NAME).add(months[month], tag=f"2013-{month:02d}")
        quality = kedge.monitor.evaluate("delays-quality", until_ms=end_ms)[-1].metrics
        drift = kedge.monitor.evaluate("delays-drift", until_ms=end_ms)[-1]
        print(f"2013-{month:02d}: AUC {quality['auc']:.3f}, {drift.drift_share:.0%} of the columns drift")
        for alert in kedge.monitor.alerts(endpoint=NAME, state="open"):
            print("  alert:", alert.message, "->", kedge.run(alert.pipeline_run_id).result())
            kedge.monitor.acknowledge(alert.id)


def replay(flights) -> int:
    """Ask the endpoint day by day, send each day's labels a day later; returns the end of the month."""
    times = pc.cast(flights["time"], "int64")
    with kedge.endpoint(NAME) as endpoint:
        logged = endpoint.log().rows
        for day_ms in sorted({int(at) // DAY_MS * DAY_MS for at in times.to_pylist()}):
            part = flights.filter(pc.equal(pc.divide(times, DAY_MS), day_ms // DAY_MS))
            endpoint.predict(part.select(list(FEATURES)), request_id=f"day-{day_ms}", event_time_ms=day_ms)
            late = [
                (f"day-{day_ms}", row, label)
                for row, label in enumerate(part["late"].to_pylist())
                if label is not None
            ]
            endpoint.send_labels(late, at_ms=day_ms + 2 * DAY_MS)
        endpoint.wait_logged(logged + flights.num_rows)
    return day_ms + DAY_MS


if __name__ == "__main__":
    main()
