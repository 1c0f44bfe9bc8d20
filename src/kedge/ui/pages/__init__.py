"""One module a section: functions from services to a page."""
