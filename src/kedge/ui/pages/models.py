"""Registered models: the list, and one with its versions."""

from kedge.core.services import Services
from kedge.core.tracking import ModelVersion
from kedge.ui import shown, tables
from kedge.ui.blocks import Cell, Chain, Page, Table

_METRICS = ("auc", "brier", "calibration_error")


def models(services: Services) -> Page:
    """All registered models."""
    now_ms = services.clock.now_ms()
    rows = tuple(
        (
            shown.link(model.name, shown.to("models", model.name)),
            shown.count(model.versions),
            Cell(text=f"v{model.latest}" if model.latest else ""),
            Cell(text=", ".join(f"{alias}: v{version}" for alias, version in model.aliases.items())),
            shown.ago(model.updated_ms, now_ms),
        )
        for model in services.tracking.models()
    )
    heads = tables.headings("model", "#versions", "latest", "aliases", "updated")
    table = Table(
        headings=heads,
        rows=rows,
        empty="No model is registered yet:",
        command="mlflow.register_model(uri, name)",
    )
    return Page(title="Models", section="models", blocks=(table,))


def model(services: Services, name: str) -> Page:
    """Versions with metrics and gates, deployments, and the lineage of the one that answers."""
    now_ms = services.clock.now_ms()
    versions = services.tracking.versions(name)
    endpoints = [e for e in services.deployments.endpoints() if _of_model(services, e.live or e.wanted, name)]
    deployments = [d for e in endpoints for d in services.deployments.history(e.name) if d.model_name == name]
    live = {d.model_version for d in deployments if d.state == "live"}
    reports = [r for v in versions[:20] if v.run_id for r in services.reports.reports(mlflow_run_id=v.run_id)]
    chief = next((v for v in versions if v.version in live), versions[0] if versions else None)
    links = lineage(services, chief, [e.name for e in endpoints]) if chief else ()
    return Page(
        title=name,
        section="models",
        crumbs=(shown.link("Models", "/models"),),
        blocks=(
            Chain(title=f"Where version {chief.version if chief else '?'} comes from", links=links),
            _versions_table(services, versions, live, now_ms),
            tables.reports(reports, now_ms),
            tables.deployments(deployments, now_ms, "Deployments"),
        ),
    )


def _of_model(services: Services, deployment_id: str, name: str) -> bool:
    return services.deployments.get(deployment_id).model_name == name


def _versions_table(services: Services, versions: list[ModelVersion], live: set[str], now_ms: int) -> Table:
    rows = []
    for version in versions:
        run = services.tracking.get_run(version.run_id) if version.run_id else None
        rows.append(
            (
                Cell(text=f"v{version.version}"),
                shown.state("live") if version.version in live else Cell(),
                Cell(text=", ".join(version.aliases)),
                shown.link(run.name or run.run_id[:8], shown.to("runs", run.run_id)) if run else Cell(),
                *(shown.figure(run.metrics.get(metric) if run else None) for metric in _METRICS),
                shown.ago(version.created_ms, now_ms),
            )
        )
    heads = tables.headings(
        "version", "", "aliases", "MLflow run", *(f"#{m.replace('_', ' ')}" for m in _METRICS), "made"
    )
    return Table(title="Versions", headings=heads, rows=tuple(rows), empty="No version yet.")


def lineage(services: Services, version: ModelVersion, endpoints: list[str]) -> tuple[tuple[str, Cell], ...]:
    """Data versions, code, pipeline run, MLflow run, model version and endpoints, as links."""
    links: list[tuple[str, Cell]] = []
    run = services.tracking.get_run(version.run_id) if version.run_id else None
    pipeline_id = run.tags.get("kedge.pipeline_run", "") if run else ""
    if pipeline_id:
        uses = dict.fromkeys(use.dataset_version_id for use in services.datasets.uses_of_run(pipeline_id))
        for used in uses:
            data = services.datasets.get_by_id(used)
            text = f"{data.dataset}@{data.tag or data.number}"
            links.append(
                (
                    "data",
                    shown.link(text, shown.to("datasets", data.dataset, data.number), testid="data-link"),
                )
            )
        links.append(
            (
                "code",
                shown.link(
                    "files and commit", shown.to("pipelines", pipeline_id, "code"), testid="code-link"
                ),
            )
        )
        pipeline = services.pipelines.get_run(pipeline_id)
        links.append(
            (
                "pipeline run",
                shown.link(pipeline.pipeline, shown.to("pipelines", pipeline_id), testid="pipeline-link"),
            )
        )
    if run:
        links.append(
            (
                "MLflow run",
                shown.link(run.name or run.run_id[:8], shown.to("runs", run.run_id), testid="run-link"),
            )
        )
    text = f"{version.name} v{version.version}"
    links.append(("model version", shown.link(text, shown.to("models", version.name), testid="model-link")))
    links += [
        ("endpoint", shown.link(name, shown.to("endpoints", name), testid="endpoint-link"))
        for name in endpoints
    ]
    return tuple(links)
