"""Kedge's own API under `/api/kedge/v1`: one module a room, each with `routes(services) -> tuple[Route, ...]`."""
