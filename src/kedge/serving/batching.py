"""Natural micro-batching: while one prediction runs, arrivals gather; the next prediction takes them all.

There is no timer: a lone request runs at once, and under load batches grow by themselves to what the model can take.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from kedge.serving.signature import Array, Inputs, joined

MOST_ROWS = 8192
"""Requests are joined up to this many rows; one larger request runs alone."""


class Batcher:
    """Joins the requests to one model. Lives in one event loop; `predict` runs in the executor, one call at a time."""

    def __init__(self, predict: Callable[[Inputs], Array], executor: Executor) -> None:
        self._predict = predict
        self._executor = executor
        self._waiting: list[tuple[Inputs, asyncio.Future[Array]]] = []
        self._running: asyncio.Task[None] | None = None

    async def submit(self, inputs: Inputs) -> Array:
        """The answers to these rows. Raises what the model raises for them, never for a neighbour's."""
        future: asyncio.Future[Array] = asyncio.get_running_loop().create_future()
        self._waiting.append((inputs, future))
        if self._running is None:
            self._running = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._take()
                parts = [inputs for inputs, _ in batch]
                results = await loop.run_in_executor(self._executor, self._answers, parts)
                for (_, future), result in zip(batch, results, strict=True):
                    if future.done():  # its request went away
                        continue
                    if isinstance(result, BaseException):
                        future.set_exception(result)
                    else:
                        future.set_result(result)
        finally:
            self._running = None

    def _take(self) -> list[tuple[Inputs, asyncio.Future[Array]]]:
        """The oldest request and those of its schema, up to MOST_ROWS; the rest keep their order."""
        schema = self._waiting[0][0].schema()
        taken: list[tuple[Inputs, asyncio.Future[Array]]] = []
        left: list[tuple[Inputs, asyncio.Future[Array]]] = []
        rows = 0
        for entry in self._waiting:
            inputs = entry[0]
            if (not taken or rows + inputs.rows <= MOST_ROWS) and inputs.schema() == schema:
                taken.append(entry)
                rows += inputs.rows
            else:
                left.append(entry)
        self._waiting = left
        return taken

    def _answers(self, parts: list[Inputs]) -> list[Array | Exception]:
        """Predict all at once; when that fails, each alone, so that only the culprit's request fails."""
        if len(parts) == 1:
            return [self._alone(parts[0])]
        try:
            answers = self._predict(joined(parts))
        except Exception:  # noqa: BLE001 - told apart below, request by request
            return [self._alone(part) for part in parts]
        results: list[Array | Exception] = []
        start = 0
        for part in parts:
            results.append(answers[start : start + part.rows])
            start += part.rows
        return results

    def _alone(self, inputs: Inputs) -> Array | Exception:
        try:
            return self._predict(inputs)
        except Exception as error:  # noqa: BLE001 - the request's edge: it is answered with this
            return error
