"""What people do with alerts."""

from msgspec.structs import replace

from kedge.core.monitors import Alert
from kedge.core.services import Services


def acknowledged(services: Services, alert_id: str) -> Alert:
    """Mark an alert as seen; doing so again changes nothing. Raises NotFound."""
    alert = services.monitors.get_alert(alert_id)
    if alert.state == "acknowledged":
        return alert
    seen = replace(alert, state="acknowledged", acknowledged_ms=services.clock.now_ms())
    services.monitors.update_alert(seen)
    return seen
