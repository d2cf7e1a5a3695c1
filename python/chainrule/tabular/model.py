"""TabularModel: a network with the columns it was trained on and the labels it predicts."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.reference.options import shown
from chainrule.reference.spelling import check_keywords, checks_keywords

from . import files, targets, training
from .cells import MISSING, Cells, column_name
from .columns import Numeric, numbers, refuse_gaps
from .decisions import Decision, Reading, together
from .frames import as_frame
from .inputs import TrainingRows, labels, no_column
from .notation import PLAIN, check_marks
from .scores import Score
from .settings import Settings

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Never, Self

    import pandas as pd
    from numpy.typing import NDArray

    from chainrule.history import History
    from chainrule.names import (
        ActivationName,
        ClassWeight,
        DecimalMark,
        InitName,
        LossName,
        MetricName,
        OptimizerName,
        Task,
        ThousandsMark,
        Unknown,
    )
    from chainrule.network import Network
    from chainrule.reference.activations import Activation
    from chainrule.reference.inits import Init
    from chainrule.reference.losses import Loss
    from chainrule.reference.optimizers import Optimizer

    from .inputs import Inputs
    from .notation import Notation
    from .targets import Target
    from .training import Fitted, Watch

    Array = NDArray[Any]

NOT_FITTED = "this model is not fitted; call fit first"


class TabularModel:
    """A network for a table of columns with names, numbers, categories and gaps.

    Each column becomes numbers, dates, categories, or is left out; `decisions.decide` says which, and
    ``model.read(frame, target).decisions`` tells it. Numbers are standardized, however they are written; dates give
    their parts; categories are one-hot. A column's type counts where it says something: categories, booleans and the
    type "string" are categories. In later tables columns are found by name, or by position if there is no header. The
    target is one column: classes, learned by cross-entropy, or numbers, standardized for training and predicted in
    their own unit.

    Parameters
    ----------
    task : {"classification", "regression"}, optional
        None: classification if the target holds words, or at most ten different whole numbers that occur twice or more
        on average; else regression.
    categorical : sequence of str or int
        Columns of numbers that are categories.
    drop : sequence of str or int
        Columns to leave out.
    drop_missing_target : bool, default False
        Whether rows without a target are left out. Else they are an error.
    impute : bool, default False
        Whether gaps are allowed. A gap then counts as the median of a numeric column. In a categorical column it is a
        category of its own if the training data have gaps, else the most frequent category.
    missing : sequence of str
        The texts of a gap, in any case; by default ?, NA, N/A, #N/A, NaN, NULL and <NA>. The empty text, and None, NaN
        and NaT in a table, are always gaps.
    weight : str or int, optional
        A column of numbers >= 0 that weigh the rows, in the loss and in the scores. It is no input.
    decimal, thousands : str, optional
        The marks in numbers that are text: "," or "." for decimals; "," "." "'" or a blank between thousands. None:
        those that the cells of a column show.
    date_format : str, optional
        The format of dates that are text, as of `datetime.strptime`. None: the one that fits.
    hidden, activation, init, loss, optimizer, learning_rate, epochs, batch_size, dropout, l2, patience, seed,
    class_weight, metrics
        The choices for building and training the network; see `Settings`.

    Attributes
    ----------
    settings : Settings
    inputs : Inputs
        The columns and their encoding.
    target : Classes or Numbers
        The target and its encoding; ``target.task`` is the task.
    network : Network
        The network, from encoded inputs to encoded targets.
    history : History or None
        The history of the last training; with rows held back, of the training that measured them. None after `load`.
    epochs : int or None
        The number of epochs of the final training; None after `load`.
    decisions : tuple of Decision
        What became of each column of the training data, the target last; empty after `load`.
    reading : dict of str
        How the file of the training data was read, to read later ones alike: ``read_table(path, **model.reading)``.
    notes : dict of str
        Any further texts to store in the model file, such as the source of the data.

    Raises
    ------
    TypeError, ValueError
        A setting is unknown or has a wrong value.

    See Also
    --------
    chainrule.Network : the network itself, for arrays of numbers.

    Notes
    -----
    Unlike a scikit-learn pipeline, it determines the kinds of columns itself and is saved in one file without pickle.
    `held_out` and `cross_validated` measure it on new rows, and do not change the model.

    Examples
    --------
    >>> import pandas as pd
    >>> boxes = pd.DataFrame({"side": range(40), "material": ["oak", "pine"] * 20})
    >>> boxes["weight"] = boxes["side"] * 3.0 + (boxes["material"] == "oak") * 10
    >>> model = TabularModel(seed=0).fit(boxes, "weight")
    >>> model.target.task, model.inputs.width
    ('regression', 3)
    >>> round(float(model.predict(pd.DataFrame({"side": [20], "material": ["oak"]}))[0]), -1)
    70.0
    """

    def __init__(
        self,
        *,
        task: Task | None = None,
        categorical: Iterable[str | int] = (),
        drop: Iterable[str | int] = (),
        drop_missing_target: bool = False,
        impute: bool = False,
        missing: Iterable[str] = MISSING,
        weight: str | int | None = None,
        decimal: DecimalMark | None = None,
        thousands: ThousandsMark | None = None,
        date_format: str | None = None,
        hidden: Iterable[int] = Settings.hidden,
        activation: ActivationName | Activation = Settings.activation,
        init: InitName | Init = Settings.init,
        loss: LossName | Loss | None = Settings.loss,
        optimizer: OptimizerName | Optimizer = Settings.optimizer,
        learning_rate: float | None = Settings.learning_rate,
        epochs: int = Settings.epochs,
        batch_size: int | None = Settings.batch_size,
        dropout: float = Settings.dropout,
        l2: float = Settings.l2,
        patience: int = Settings.patience,
        seed: int | None = Settings.seed,
        class_weight: ClassWeight | None = Settings.class_weight,
        metrics: Iterable[MetricName] = Settings.metrics,
        **unknown: Never,
    ) -> None:
        known = [name for name in inspect.signature(TabularModel).parameters if name != "unknown"]
        check_keywords("TabularModel", unknown, known)
        self.task = task
        self.categorical = names("categorical", categorical)
        self.drop = names("drop", drop)
        self.drop_missing_target = drop_missing_target
        self.missing = names("missing", missing)
        if odd := [text for text in self.missing if not isinstance(text, str)]:
            raise TypeError(f"missing must hold texts, not {shown(odd[0])}")
        self.weight = weight
        check_marks(decimal, thousands)
        self.form = Reading(impute=impute, decimal=decimal, thousands=thousands, date_format=date_format)
        self.settings = Settings(
            hidden=hidden,  # type: ignore[arg-type] # made a tuple there
            activation=activation,
            init=init,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            dropout=dropout,
            l2=l2,
            patience=patience,
            class_weight=class_weight,
            metrics=metrics,  # type: ignore[arg-type] # made a tuple there
            seed=seed,  # type: ignore[arg-type] # None is replaced there
        )
        self.reading: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self.history: History | None = None
        self.epochs: int | None = None
        self.decisions: tuple[Decision, ...] = ()
        self._inputs: Inputs | None = None
        self._target: Target | None = None
        self._network: Network | None = None

    # ── What it is ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def inputs(self) -> Inputs:
        """The columns and their encoding."""
        if self._inputs is None:
            raise ValueError(NOT_FITTED)
        return self._inputs

    @property
    def target(self) -> Target:
        """The target and its encoding."""
        if self._target is None:
            raise ValueError(NOT_FITTED)
        return self._target

    @property
    def network(self) -> Network:
        """The network, from encoded inputs to encoded targets."""
        if self._network is None:
            raise ValueError(NOT_FITTED)
        return self._network

    def __repr__(self) -> str:
        """Show the target and the network."""
        if self._network is None or self._target is None:
            return "TabularModel(not fitted)"
        return f"TabularModel({self._target.task} of {self._target.name!r}, {self._network!r})"

    # ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, frame: pd.DataFrame, target: str | int) -> Data:
        """Read the training data once, for `fit`, `held_out` and `cross_validated`.

        Raises
        ------
        ValueError
            The table is not usable for training. The message names the column and the row, or the line of the file for
            a table from `read_csv`.
        """
        data = Data(self, frame, target)
        for decision in data.decisions:
            if decision.warning:
                warnings.warn(decision.warning, stacklevel=2)
        return data

    @checks_keywords
    def fit(self, frame: pd.DataFrame | Data, target: str | int | None = None, *, watch: Watch | None = None) -> Self:
        """Train on all rows.

        With patience and at least 20 rows, a tenth of the rows is first held back, to find the number of epochs with
        the smallest loss on them. A network of the same seed is then trained on all rows for that number of epochs.

        Parameters
        ----------
        frame : pandas.DataFrame
            The rows, or the result of `read`.
        target : str or int
            The name of the column to predict.
        watch : function, optional
            Called after each epoch as ``watch(stage, epoch, logs)``.

        Raises
        ------
        ValueError
            As in `read`; the loss does not fit the task, or the training diverges.

        Warns
        -----
        UserWarning
            The loss of the rows held back was never a finite number, so all epochs were made.
        """
        data = self.data(frame, target)
        fitted = data.fitted(np.arange(data.n), "training", watch)
        self._inputs, self._target, self._network = fitted.inputs, fitted.target, fitted.network
        self.history, self.epochs, self.decisions = fitted.history, fitted.epochs, data.decisions
        return self

    @checks_keywords
    def held_out(
        self,
        frame: pd.DataFrame | Data,
        target: str | int | None = None,
        *,
        share: float = 0.2,
        watch: Watch | None = None,
    ) -> Score:
        """Train a network without a share of the rows and return its score on that share.

        Classes are split in proportion. The seed decides the share. Other parameters and errors are those of `fit`.
        """
        data = self.data(frame, target)
        test, train = training.parts(data.y, data.target, np.arange(data.n), share, self.settings.seed)
        return data.score("held out", [(train, test)], watch)

    @checks_keywords
    def cross_validated(
        self, frame: pd.DataFrame | Data, target: str | int | None = None, *, folds: int = 5, watch: Watch | None = None
    ) -> Score:
        """Return the score of `folds` networks, each tested on the rows that it was not trained on.

        Classes are split in proportion if each has at least one row per fold. Other parameters and errors are those of
        `fit`.
        """
        data = self.data(frame, target)
        if not 2 <= folds <= data.n:
            raise ValueError(f"folds must be from 2 to the number of rows, which is {data.n:,}, not {folds}")
        return data.score(f"{folds} folds", list(training.folds(data.y, data.target, folds, self.settings.seed)), watch)

    def data(self, frame: pd.DataFrame | Data, target: str | int | None) -> Data:
        """Return the training data; read the table if that is not done yet."""
        if isinstance(frame, Data):
            return frame
        if target is None:
            raise TypeError("target must name the column to predict")
        return self.read(frame, target)

    # ── Using ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @checks_keywords
    def encode(self, frame: pd.DataFrame, *, unknown: Unknown = "error") -> NDArray[np.float32]:
        """Return the network's X, (n, n_inputs), for a table; parameters and errors as in `predict`."""
        return self.inputs.encode(frame, unknown)

    def encode_target(self, frame: pd.DataFrame) -> Array:
        """Return the network's y for a table that has the target."""
        return self.target.encode(self.true(frame), self.network.loss)

    @checks_keywords
    def predict(self, frame: pd.DataFrame, *, unknown: Unknown = "error") -> Array:
        """Return the label or number of each row, (n,).

        Parameters
        ----------
        frame : pandas.DataFrame
            A table with the columns of the training data, by name in any order, or by position without a header. The
            target may be missing, and additional columns are ignored.
        unknown : {"error", "ignore"}
            How to treat a category that the training data did not have: as an error, or as none of the known
            categories, so that all their inputs are 0.

        Returns
        -------
        numpy.ndarray, (n,)
            Labels as the training data had them (texts in an array of objects), or float64 in the target's unit.

        Raises
        ------
        ValueError
            A column is missing; or a cell is a gap and gaps are refused, is not a number in a numeric column, or is an
            unknown category. The message names column and row.
        """
        return self.target.decode(self.network.predict(self.encode(frame, unknown=unknown)))

    @checks_keywords
    def predict_proba(self, frame: pd.DataFrame, *, unknown: Unknown = "error") -> NDArray[np.float32]:
        """Return the probability of each class, (n, n_classes), in the order of ``target.labels``."""
        if not isinstance(self.target, targets.Classes):
            raise ValueError("probabilities are of classes; this model predicts numbers")  # noqa: TRY004 - of a value
        return self.target.probabilities(self.network.predict(self.encode(frame, unknown=unknown)))

    @checks_keywords
    def score(
        self,
        frame: pd.DataFrame,
        *,
        unknown: Unknown = "error",
        how: str = "",
        weight: str | int | None = None,
        metrics: Iterable[MetricName] = (),
    ) -> Score:
        """Return the score of the predictions for a table that has the target.

        `weight` names a column of the rows' weights, and `metrics` what is measured beside the usual; see `Settings`.
        """
        y, more = self.true(frame), tuple(metrics)
        outputs = self.network.predict(self.encode(frame, unknown=unknown))
        w = None if weight is None else weights(frame, weight, self.inputs.missing)
        return Score(
            how or f"{len(y):,} rows",
            (self.target.score(y, outputs, w, more),),
            true_labels(self.target, y),
            self.target.decode(outputs),
            baselines=(self.target.baseline(y, w, more),),
        )

    @checks_keywords
    def evaluate(self, frame: pd.DataFrame, *, unknown: Unknown = "error") -> dict[str, float]:
        """Return "loss" (the network's loss, for the standardized target) and the measures of a `Score`.

        RMSE and MAE are in the target's unit. Parameters and errors are those of `predict`.
        """
        x, values = self.encode(frame, unknown=unknown), self.true(frame)
        measured = self.target.score(values, self.network.predict(x))
        return measured | self.network.evaluate(x, self.target.encode(values, self.network.loss))

    def true(self, frame: pd.DataFrame) -> Array:
        """Return the target of a table, read as by `Target.read`."""
        return self.target.read(self.inputs.target_cells(frame))

    def set_marks(self, decimal: str | None = None, thousands: str | None = None) -> None:
        """Let numbers of later tables be written with other marks than those of the training data."""
        if decimal is None and thousands is None:
            return
        check_marks(decimal, thousands)

        def changed(item: Any) -> Any:
            if not hasattr(item, "notation"):
                return item
            style = item.notation
            style = replace(
                style,
                decimal=decimal or ("." if thousands == "," else style.decimal),
                thousands=thousands if thousands is not None else "" if style.thousands == decimal else style.thousands,
            )
            return replace(item, notation=style)

        self._inputs = replace(self.inputs, columns=tuple(changed(column) for column in self.inputs.columns))
        self._target = changed(self.target)

    def has_marks(self) -> bool:
        """Whether numbers are written with marks or units of their own, so that a file has to be read as text."""
        return any(style != PLAIN for style in notations(self.inputs, self.target))

    # ── Keeping ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write network, columns and target to a safetensors file, replaced only on success; see `tabular.files`."""
        files.save(path, files.Parts(self.inputs, self.target, self.network, self.reading, self.notes))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the model that `save` wrote, for predictions. Nothing in the file is executed.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It is not a complete, valid file of a TabularModel; the message says what is wrong.
        """
        model = cls()
        parts = files.load(path)
        model._inputs, model._target, model._network = parts.inputs, parts.target, parts.network
        model.reading, model.notes = parts.reading, parts.notes
        return model


class Data:
    """The training data of a model, read once.

    Attributes
    ----------
    decisions : tuple of Decision
        What became of each column, the target last.
    n, n_dropped : int
        The number of rows, and of those that were left out since they lack the target.
    """

    def __init__(self, model: TabularModel, frame: pd.DataFrame, target: str | int) -> None:
        frame = as_frame(frame)
        self.settings = model.settings
        rows = len(frame)
        if model.drop_missing_target and target in frame.columns:
            missing = Cells.of(frame[target], target, model.missing).missing
            frame = frame[~missing] if missing.any() else frame
        self.n_dropped = rows - len(frame)
        self.weights = None if model.weight is None else weights(frame, model.weight, model.missing)
        self.columns = TrainingRows.of(
            frame,
            target,
            model.form,
            categorical=model.categorical,
            drop=model.drop if model.weight is None else (*model.drop, model.weight),
            missing=model.missing,
        )
        problems = list(self.columns.problems)
        try:
            cells = Cells.of(frame[target], target, model.missing)
            self.target, self.why = targets.planned(cells, model.task, model.form)
        except ValueError as error:
            problems.insert(0, str(error))
        if problems:
            raise together(problems)
        self.y = self.target.read(cells)
        self.n = len(self.y)
        if self.settings.class_weight is not None and not isinstance(self.target, targets.Classes):
            raise ValueError("class_weight is for classes; this target holds numbers")
        self.target.baseline(self.y, self.weights, self.settings.metrics)  # refuses metrics before the training
        self.decisions = (*self.columns.decisions, Decision(target, "target", f"{self.target.task}: {self.why}"))

    def has_marks(self) -> bool:
        """Whether numbers are written with marks or units of their own; see `TabularModel.has_marks`."""
        return any(style != PLAIN for style in notations(self.columns.inputs, self.target))

    def counts(self) -> list[int]:
        """Return the number of rows of each class."""
        return [int(n) for n in np.bincount(self.y)]

    def fitted(self, rows: Array, stage: str, watch: Watch | None) -> Fitted:
        """Train on some of the rows."""
        weights = self.weights
        if self.settings.class_weight is not None:
            weights = training.balanced(self.y, rows, weights)
        return training.fit(self.columns, self.y, self.target, self.settings, rows, weights, stage, watch)

    def score(self, how: str, splits: list[tuple[Array, Array]], watch: Watch | None) -> Score:
        """Train on the first rows of each pair and measure on the second."""
        parts, true, predicted, histories, baselines = [], [], [], [], []
        for i, (train, test) in enumerate(splits, start=1):
            fitted = self.fitted(train, f"fold {i} of {len(splits)}" if len(splits) > 1 else "held out", watch)
            x = fitted.inputs.matrix(self.columns.values, self.columns.cells)[test]
            outputs = fitted.network.predict(x)
            w, more = None if self.weights is None else self.weights[test], self.settings.metrics
            if w is not None and not w.any():
                raise ValueError(f"all rows of one part ({how}) weigh 0, so it has no score")
            parts.append(fitted.target.score(self.y[test], outputs, w, more))
            baselines.append(fitted.target.baseline(self.y[test], w, more))
            true.append(true_labels(fitted.target, self.y[test]))
            predicted.append(fitted.target.decode(outputs))
            histories.append(fitted.history)
        return Score(
            how, tuple(parts), np.concatenate(true), np.concatenate(predicted), tuple(histories), tuple(baselines)
        )


def notations(inputs: Inputs, target: Target) -> list[Notation]:
    """Return how the numbers of each column and of the target are written."""
    return [item.notation for item in (*inputs.columns, target) if isinstance(item, Numeric | targets.Numbers)]


def true_labels(target: Target, y: Array) -> Array:
    """Return the true targets in the form of predictions: labels or numbers."""
    return target.values()[y] if isinstance(target, targets.Classes) else y


def weights(frame: pd.DataFrame, name: str | int, missing: tuple[str, ...]) -> Array:
    """Return the weights of the rows, (n,), which a column holds."""
    found = labels(frame)
    if name not in found:
        raise ValueError(f"weight: {no_column(name, found)}")
    cells = Cells.of(frame.iloc[:, found.index(name)], name, missing)
    refuse_gaps(cells)
    values = numbers(cells)
    if values.min() < 0.0:
        row = int(values.argmin())
        raise ValueError(f"{cells.at(row)}: {values[row]:g} is no weight; weights are numbers >= 0")
    if not values.sum() > 0.0:
        raise ValueError(f"all weights, {column_name(name)}, are 0")
    return values


def names(argument: str, given: Iterable[Any]) -> tuple[Any, ...]:
    """Return names as a tuple; refuse a single str, which would be read as its letters."""
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        raise TypeError(f"{argument} must be a sequence of names, not {given!r}")
    return tuple(given)
