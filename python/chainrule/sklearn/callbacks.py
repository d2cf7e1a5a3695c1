"""scikit-learn's callbacks (progress bars, monitors) around epochs, if the installed version has them (1.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef] # a stand-in for older versions
        """Nothing to set."""


if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CallbackSupportMixin", "Hooks"]


class Hooks:
    """The hooks of one `fit`: a task for the fit and a subtask for each epoch. Without callbacks they do nothing."""

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data = {"X": X, "y": y, "metadata": metadata}
        self.are_there = hasattr(estimator, "_skl_callbacks")
        self.whole: Any = None
        self.epoch: Any = None
        if self.are_there or hasattr(estimator, "_parent_callback_ctx"):  # a search, for example, has an outer task
            self.whole = estimator._init_callback_context(max_subtasks=estimator.max_iter)  # noqa: SLF001
            self.whole.call_on_fit_task_begin(estimator=estimator, **self.data)

    def epoch_begins(self, parameters: Callable[[], list[Any]]) -> None:
        """Call the callbacks for the start of an epoch; `parameters` returns weights, then biases, on demand."""
        if self.are_there:
            self.epoch = self.whole.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(
                estimator=self.estimator, **self.data, reconstruction_attributes=fitted(parameters)
            )

    def epoch_ends(self, parameters: Callable[[], list[Any]]) -> bool:
        """Call the callbacks for the end of an epoch; return whether one of them wants training to end."""
        if self.epoch is None:
            return False
        epoch, self.epoch = self.epoch, None
        stop: bool = epoch.call_on_fit_task_end(
            estimator=self.estimator, **self.data, reconstruction_attributes=fitted(parameters)
        )
        return stop

    def end(self) -> None:
        """Call the callbacks for a successful end of `fit`."""
        if self.epoch is not None:  # an epoch has started and not finished
            self.epoch.call_on_fit_task_end(estimator=self.estimator)
        if self.whole is not None:
            attributes = dict(vars(self.estimator))
            self.whole.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes=lambda: attributes
            )


def fitted(parameters: Callable[[], list[Any]]) -> Callable[[], dict[str, list[Any]]]:
    """Return a function that returns the attributes needed for prediction."""

    def attributes() -> dict[str, list[Any]]:
        arrays = parameters()
        return {"coefs_": arrays[: len(arrays) // 2], "intercepts_": arrays[len(arrays) // 2 :]}

    return attributes
