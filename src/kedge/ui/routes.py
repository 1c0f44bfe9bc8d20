"""Pages."""

from kedge.core.routes import Route
from kedge.core.services import Services


def routes(services: Services) -> tuple[Route, ...]:
    """None yet."""
    return ()
