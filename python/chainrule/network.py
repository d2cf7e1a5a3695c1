"""Network: the multilayer perceptron, the class that users work with.

Each method converts its arguments for the Rust core (`_arrays`, `batch`), calls the core, and wraps the result. Nothing
is computed here. Larger tasks have their own modules: `fitting`, `checkpoint`, `verification`, `explain`, `describe`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy import ndarray

from . import _arrays, checkpoint, describe, fitting, metrics
from ._native import DivergenceError
from .batch import read_batch
from .engine import Engine
from .records import Gradient
from .reference import config as configuration
from .reference.describe import constructor, layers_html
from .reference.optimizers import OPTIMIZERS
from .reference.options import choose, listed, number, shown
from .reference.spelling import checks_keywords, refuse_more

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from typing import Never, Self

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from .batch import Batch
    from .explain import Explanation
    from .history import History
    from .names import ActivationName, DType, InitName, LossName, MetricName, OptimizerName
    from .records import LayerTrace
    from .reference.activations import Activation
    from .reference.inits import Init
    from .reference.layers import Layer
    from .reference.losses import Loss
    from .reference.optimizers import Optimizer
    from .verification.report import Report

    Array: TypeAlias = NDArray[Any]
    MetricLike: TypeAlias = MetricName | Callable[..., float]
    Callback: TypeAlias = Callable[["Network", int, dict[str, float]], object]


class Network:
    """A multilayer perceptron, trained by backpropagation.

    z_l = a_{l−1} w_l + b_l and a_l = f_l(z_l) with a_0 = X, layer after layer. Rumelhart, Hinton & Williams 1986,
    "Learning representations by back-propagating errors". The loss of a batch of n rows is
    L = Σ wᵢ lᵢ / Σ wᵢ + Σ_layers ½ l2 ‖w‖², where wᵢ are the sample weights (1 by default).

    X is (n, n_inputs). Outputs are always 2-D, (n, n_outputs), even with one output. Nothing is broadcast. Arrays may
    be anything that `numpy.asarray` takes: float32 and float64 arrays with contiguous rows are read in place, others
    are converted once. All computation is in the network's dtype.

    Parameters
    ----------
    layers : sequence
        First the number of inputs, then one item per layer: an int (a Dense layer with that number of units),
        `Dense(...)`, `Dropout(...)` or `LayerNorm(...)`. The last layer is dense and gives the outputs. ``[4, 1]`` is a
        linear model.
    activation, output_activation : str or option, default "relu" and "identity"
        The default activation functions: of the hidden dense layers, and of the last layer.
    loss : str or option, default "mse"
        "mse", "cross_entropy", … (`chainrule.registry` lists the names, docs/options.md the formulas), or an option
        such as ``Huber(delta=0.5)``. A loss with a link (softmax, sigmoid, exp) takes the raw outputs and applies the
        link itself.
    optimizer : str or option, default "adam"
        A name such as "sgd" or "rmsprop", with the default parameters, or an option such as
        ``SGD(learning_rate=0.1)``; docs/options.md lists the update rules.
    init : str or option, default "glorot_uniform"
        The default rule for initial weights; docs/options.md lists them. Biases start at zero.
    dtype : str or numpy.dtype, default "float32"
        "float32" or "float64".
    seed : int, optional
        In [0, 2**63). Decides the initial weights, the order of rows and the dropout masks. None draws a seed, which
        the attribute `seed` holds.
    n_threads : int, optional
        The most threads to compute with, >= 1. Results are the same to the bit for any number. None: the environment
        variable CHAINRULE_NUM_THREADS, else OMP_NUM_THREADS, else the number of processors that this process may use.
        Never more threads than processors are used, and small networks use one.

    Raises
    ------
    TypeError, ValueError
        An argument has a wrong type or value; the message says which one and what is allowed.
    MemoryError
        The network does not fit into memory.

    See Also
    --------
    chainrule.reference.Network : the same network in plain Python, to read and to compare with.

    Notes
    -----
    Calls that only read (predict, gradient, evaluate, …) may run in several threads at once. Two calls that change the
    network may not: the second raises RuntimeError. Differences from scikit-learn's MLPClassifier: nothing is inferred
    from data, a second `fit` continues the first, and L2 belongs to a layer. Unlike in torch, w is (n_in, n_out).

    Examples
    --------
    The exclusive or, which no network without a hidden layer can learn:

    >>> from chainrule import Adam, Network
    >>> net = Network([2, 8, 1], activation="tanh", loss="binary_cross_entropy", optimizer=Adam(0.05), seed=0)
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> history = net.fit(X, y, epochs=300, batch_size=4)
    >>> (net.predict(X) > 0.5).ravel().tolist()
    [False, True, True, False]
    >>> bool(net.verify(X, y))
    True
    """

    @checks_keywords
    def __init__(
        self,
        layers: Sequence[int | Layer],
        *,
        activation: ActivationName | Activation = "relu",
        output_activation: ActivationName | Activation = "identity",
        loss: LossName | Loss = "mse",
        optimizer: OptimizerName | Optimizer = "adam",
        init: InitName | Init = "glorot_uniform",
        dtype: DType = "float32",
        seed: int | None = None,
        n_threads: int | None = None,
    ) -> None:
        spec = configuration.resolve(
            layers,
            activation=activation,
            output_activation=output_activation,
            loss=loss,
            optimizer=optimizer,
            init=init,
            dtype=dtype,
            seed=seed,
            n_threads=n_threads,
        )
        self._hold(Engine.of(spec))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new network of a `config`, with its initial weights.

        Parameters
        ----------
        config : mapping
            The attribute `config` of a network, also after a way through JSON.

        Raises
        ------
        ValueError
            `config` is not what the attribute `config` of a network is; the message names the entry.

        Examples
        --------
        >>> net = Network([2, 3, 1], seed=0)
        >>> bool((Network.from_config(net.config).parameters == net.parameters).all())
        True
        """
        network = object.__new__(cls)
        network._hold(Engine.of(configuration.from_config(config)))
        return network

    def _hold(self, engine: Engine) -> None:
        """Be the network of this engine."""
        self._engine = engine
        self._y_ndim = 1 if engine.spec.loss.takes_labels else 2

    # ── What it is ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def n_inputs(self) -> int:
        """Number of input features."""
        return self._engine.spec.n_inputs

    @property
    def n_outputs(self) -> int:
        """Number of outputs, the units of the last layer."""
        return self._engine.native.n_outputs

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return self._engine.layout.size

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers after the inputs, with every default filled in."""
        return self._engine.spec.layers

    @property
    def loss(self) -> Loss:
        """The loss, as an option with a `.name`."""
        return self._engine.spec.loss

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer, as an option with the current learning rate.

        Assign an optimizer or its name to replace it. The parameters stay and the new one begins anew, even if it is of
        the same kind: its moments are zero and `step_count` is 0, so that its first update is that of a new network.
        `epoch_count` goes on. Not while the network is being trained (RuntimeError).

        Examples
        --------
        >>> net = Network([2, 1], optimizer="adam", seed=0)
        >>> loss = net.step([[0.0, 1.0]], [1.0])
        >>> net.optimizer = net.optimizer  # the same, with moments of zero
        >>> net.step_count
        0
        """
        return self._engine.current.optimizer

    @optimizer.setter
    def optimizer(self, value: OptimizerName | Optimizer) -> None:
        chosen = choose("optimizer", value, OPTIMIZERS)
        fitting.in_turn(self._engine.native, lambda: self._hold(self._engine.with_optimizer(chosen)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of parameters and computation: float32 or float64."""
        return self._engine.dtype

    @property
    def seed(self) -> int:
        """The seed of initial weights, dropout masks and permutations."""
        return self._engine.spec.seed

    @property
    def n_threads(self) -> int:
        """The most threads that the network computes with: 1 if no batch gains from more.

        It is the number given, else the environment variable CHAINRULE_NUM_THREADS, else OMP_NUM_THREADS, else the
        number of processors that this process may use. It never exceeds the number of processors.
        """
        return self._engine.native.n_threads

    @property
    def config(self) -> dict[str, Any]:
        """All options with the defaults filled in, as dicts, lists, strings and numbers (ready for JSON)."""
        return configuration.to_config(self._engine.current)

    @property
    def learning_rate(self) -> float:
        """Step size of the next update. Assign a number > 0 to change it; a callback of `fit` may do so between epochs.

        A number that is assigned replaces a schedule, for good.
        """
        return self._engine.native.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._engine.native.learning_rate = number("learning_rate", value, "(0, inf)")

    @property
    def step_count(self) -> int:
        """Number of updates made so far."""
        return self._engine.native.step_count

    @property
    def epoch_count(self) -> int:
        """Number of epochs of `fit` made so far. With the seed it decides the order of rows in the next epoch."""
        return self._engine.native.epoch_count

    @checks_keywords
    def summary(self, *, plan: bool = False) -> str:
        """Return a table of the layers with their outputs, activations and parameter counts.

        Parameters
        ----------
        plan : bool, default False
            Whether to add which way training steps take, for some batch sizes: the whole network in one kernel, or
            layer by layer, with the reason in parentheses; whether the gradient is used in registers or goes through
            memory; the threads. Targets are class labels where the loss takes them. The results are the same on every
            way. docs/guide.md explains the words.

        Examples
        --------
        >>> print(Network([4, 8, 3], loss="cross_entropy", seed=0).summary())
           layer  output  activation  parameters
        0  input  (n, 4)
        1  Dense  (n, 8)  relu                40
        2  Dense  (n, 3)  identity            27
           total                              67
        loss cross_entropy, optimizer adam, float32, seed 0
        >>> print(Network([4, 8, 3], optimizer="adagrad", seed=0, n_threads=1).summary(plan=True))
           layer  output  activation  parameters
        0  input  (n, 4)
        1  Dense  (n, 8)  relu                40
        2  Dense  (n, 3)  identity            27
           total                              67
        loss mse, optimizer adagrad, float32, seed 0
        steps
          1, 32, 256, 1,024 rows  layer by layer (optimizer adagrad), gradient in memory, 1 thread
        """
        table = describe.summary(self._engine.spec)
        told = describe.plan(self._engine.native, self._engine.spec) if fitting.flag("plan", plan) else ""
        return "\n".join(filter(None, [table, told]))

    def __repr__(self) -> str:
        """Show the constructor call that builds a network of the same options."""
        return constructor(self._engine.current, type(self).__name__)

    def _repr_html_(self) -> str:
        """Show the layers too, for a notebook."""
        return layers_html(self._engine.current, type(self).__name__)

    # ── Parameters ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def parameters(self) -> Array:
        """All parameters as one flat array: w_1 row by row, b_1, w_2, … A read-only copy; assign to set them."""
        return read_only(self._engine.native.parameters())

    @parameters.setter
    def parameters(self, values: ArrayLike) -> None:
        self._engine.native.set_parameters(_arrays.flat(values, self.n_parameters, self.dtype, "parameters"))

    @property
    def weights(self) -> tuple[Array, ...]:
        """The w of each Dense layer, (n_in, n_out). Read-only copies; assign a whole sequence to set them."""
        return self._engine.layout.weights(self.parameters)

    @weights.setter
    def weights(self, values: Sequence[ArrayLike]) -> None:
        self._set("weights", self._engine.layout.weights, values)

    @property
    def biases(self) -> tuple[Array, ...]:
        """The b of each Dense layer, (n_out,), empty if it has none. Read-only copies; assign a whole sequence."""
        return self._engine.layout.biases(self.parameters)

    @biases.setter
    def biases(self, values: Sequence[ArrayLike]) -> None:
        self._set("biases", self._engine.layout.biases, values)

    def _set(self, argument: str, views: Callable[[Array], Sequence[Array]], values: object) -> None:
        """Replace the parts of the parameters that `views` returns, one per weight."""
        flat = self._engine.native.parameters()
        old = views(flat)
        if not isinstance(values, Iterable):
            given = type(values).__name__
            raise TypeError(
                f"{argument} must be a sequence of {len(old)} arrays, one per layer with weights, got {given}"
            )
        sized = values if isinstance(values, Sized) else list(values)  # a sequence may be longer than memory
        if len(sized) != len(old):
            raise ValueError(f"{argument} must hold {len(old)} arrays, one per layer with weights, got {len(sized)}")
        new = listed(sized)
        for i, (weight, view, value) in enumerate(zip(self._engine.layout.named("weight"), old, new, strict=True)):
            name = f"{argument}[{i}]"
            array = _arrays.as_array(value, name)
            if array.shape != view.shape:
                raise ValueError(f"{name} (layer {weight.layer + 1}) must have shape {view.shape}, got {array.shape}")
            view[...] = _arrays.cast(_arrays.to_float(array, self.dtype, name), self.dtype)
            _arrays.check_finite(view, name)
        self._engine.native.set_parameters(flat)

    # ── Forward ──────────────────────────────────────────────────────────────────────────────────────────────────────

    # The methods called once per step first pass their arguments on unchanged. The core checks an array within
    # nanoseconds and raises if it cannot read it in place or finds an error. Only then are the arguments converted, or
    # refused with a message that names them. Subclasses of ndarray (masked arrays) are always converted. `*more` holds
    # values that should be keywords, to be named; `checks_keywords` would take as long as a small step.

    def forward(self, X: ArrayLike, *more: Never, training: bool = False, out: Array | None = None) -> Array:
        """Return the raw outputs of the last layer, before the loss's link (the logits of the cross-entropies).

        A row's result does not depend on the other rows of its batch, to the bit.

        Parameters
        ----------
        X : array_like, (n, n_inputs)
            The samples; n may be 0.
        training : bool, default False
            Whether dropout silences units, with the masks of the coming step.
        out : numpy.ndarray, (n, n_outputs), optional
            Array for the result, of the network's dtype, C-contiguous and writable.

        Returns
        -------
        numpy.ndarray, (n, n_outputs)
            In the network's dtype; `out` itself if it is given.

        Raises
        ------
        TypeError
            X does not hold numbers or is sparse; `out` has another dtype.
        ValueError
            A shape does not fit, or X has a value that is not finite (in the network's dtype).

        Examples
        --------
        >>> net = Network([2, 1], seed=0)
        >>> net.weights, net.biases = [[[1.0], [2.0]]], [[0.5]]
        >>> net.forward([[10.0, 20.0], [0.0, 0.0]])
        array([[50.5],
               [ 0.5]], dtype=float32)
        """
        if more:
            refuse_more(Network.forward, X, *more)
        if type(X) is ndarray:
            try:
                return self._engine.native.forward(X, training, out)
            except (TypeError, ValueError):
                pass  # converted or refused below
        return self._engine.native.forward(
            _arrays.features(X, self.n_inputs, self.dtype), fitting.flag("training", training), out
        )

    def predict(self, X: ArrayLike, *more: Never, out: Array | None = None) -> Array:
        """Return the outputs through the loss's link: class probabilities for the cross-entropies, for example.

        docs/options.md lists the link of each loss; with the identity, `predict` equals `forward`. The result is always
        (n, n_outputs). ``net.predict(X).argmax(axis=1)`` gives the classes. Parameters and errors are those of
        `forward`.

        Examples
        --------
        >>> net = Network([2, 2], loss="cross_entropy", init="zeros", seed=0)
        >>> net.predict([[1.0, 2.0]])
        array([[0.5, 0.5]], dtype=float32)
        """
        if more:
            refuse_more(Network.predict, X, *more)
        if type(X) is ndarray:
            try:
                return self._engine.native.predict(X, out)
            except (TypeError, ValueError):
                pass  # converted or refused below
        return self._engine.native.predict(_arrays.features(X, self.n_inputs, self.dtype), out)

    @checks_keywords
    def evaluate(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        metrics: Iterable[MetricLike] = (),
    ) -> dict[str, float]:
        """Return the loss of a batch (with the l2 terms, without dropout) and metrics of its predictions.

        Parameters
        ----------
        X, y, sample_weight
            As in `gradient`.
        metrics : sequence of str or function
            Names ("accuracy", "r2", "mae", "rmse", or of scikit-learn's scorers; see `chainrule.metrics`), or functions
            ``metric(y_true, y_pred, sample_weight=...)`` of the targets and the result of `predict`; sample_weight is
            passed only if it is given.

        Returns
        -------
        dict
            "loss" and each metric by its name.

        Raises
        ------
        TypeError, ValueError
            As in `gradient`; a metric is unknown, or it needs classes and the network predicts numbers.

        Examples
        --------
        >>> Network([2, 1], init="zeros", seed=0).evaluate([[1, 2], [3, 4]], [1, 2], metrics=["mae"])
        {'loss': 2.5, 'mae': 1.5}
        """
        chosen = choose_metrics(metrics, self._engine.spec)
        return fitting.evaluate(self._engine.native, self._batch(X, y, sample_weight), chosen)

    # ── Backward ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def gradient(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, *more: Never, training: bool = False
    ) -> Gradient:
        """Return the loss of a batch and its derivative by every parameter, by backpropagation.

        delta_L = dL/da ⊙ f'(z_L), delta_l = (delta_{l+1} w_{l+1}ᵀ) ⊙ f'(z_l), d_w_l = a_{l−1}ᵀ delta_l + l2 w_l,
        d_b_l = Σ_rows delta_l.

        Parameters
        ----------
        X : array_like, (n, n_inputs)
            The samples, n >= 1.
        y : array_like, (n, n_targets)
            The targets, for most losses one per output. With one target per row, y may be (n,). Losses for classes
            ("cross_entropy", …) take integer labels from 0, (n,), or rows of probabilities that sum to 1.
            docs/options.md lists what each loss takes.
        sample_weight : array_like, (n,), optional
            The weight of each row in the mean, finite and >= 0. If all are zero, loss and gradient are zero.
        training : bool, default False
            Whether dropout silences units, with the masks of the coming step.

        Returns
        -------
        Gradient
            ``.loss``, ``.flat`` (n_parameters,), and by layer ``.weights`` and ``.biases``.

        Raises
        ------
        TypeError
            An array holds values of the wrong kind.
        ValueError
            A shape does not fit, or a value is out of range; the message names its row and column.

        Examples
        --------
        A linear unit with weight 0, input 2 and target 1: L = (2 w + b − 1)².

        >>> gradient = Network([1, 1], init="zeros", seed=0).gradient([[2.0]], [1.0])
        >>> gradient.loss, gradient.flat.tolist()
        (1.0, [-4.0, -2.0])
        """
        if more:
            refuse_more(Network.gradient, X, y, sample_weight, *more)
        if type(X) is ndarray and type(y) is ndarray and y.ndim == self._y_ndim:
            try:
                # The core refuses a sample_weight that is no array; it is converted below.
                loss, flat = self._engine.native.gradient(X, y, sample_weight, training)  # type: ignore[arg-type]
                return Gradient(loss, flat, self._engine.layout)
            except (TypeError, ValueError):
                pass  # converted or refused below
        loss, flat = self._engine.native.gradient(*self._batch(X, y, sample_weight), fitting.flag("training", training))
        return Gradient(loss, flat, self._engine.layout)

    @checks_keywords
    def backward(self, X: ArrayLike, d_output: ArrayLike, *, training: bool = False) -> Gradient:
        """Return the gradient for the caller's own dL/d(output), for losses that chainrule does not have.

        Parameters
        ----------
        X : array_like, (n, n_inputs)
            The samples, n >= 1.
        d_output : array_like, (n, n_outputs)
            The derivative of the caller's L by each raw output of `forward`. It is not divided by n.
        training : bool, default False
            Whether dropout silences units, with the masks of the coming step.

        Returns
        -------
        Gradient
            With ``.inputs``, dL/dX of shape (n, n_inputs), and without a loss. The layers' l2 terms are added to d_w,
            as in `gradient`.

        Raises
        ------
        TypeError, ValueError
            As in `gradient`.

        Examples
        --------
        >>> net = Network([2, 1], seed=0)
        >>> net.weights = [[[3.0], [4.0]]]
        >>> gradient = net.backward([[10.0, 20.0]], [[1.0]])
        >>> gradient.weights[0].ravel().tolist(), gradient.inputs.tolist()
        ([10.0, 20.0], [[3.0, 4.0]])
        """
        x = _arrays.features(X, self.n_inputs, self.dtype)
        d = _arrays.table(d_output, self.n_outputs, self.dtype, "d_output")
        flat, inputs = self._engine.native.backward(x, d, fitting.flag("training", training))
        return Gradient(None, flat, self._engine.layout, inputs)

    @checks_keywords
    def trace(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> list[LayerTrace]:
        """Return every quantity of the coming `step`, layer by layer, without making the step.

        Parameters and errors are those of `gradient`. Dropout uses the masks of the coming step.

        Returns
        -------
        list of LayerTrace
            One per layer: z, a, slope, delta, gradients, updates.

        Examples
        --------
        >>> from chainrule import SGD
        >>> net = Network([1, 1], optimizer=SGD(learning_rate=0.1), init="zeros", seed=0)
        >>> (layer,) = net.trace([[2.0]], [1.0])
        >>> layer.delta.item(), layer.d_weight.item(), layer.update_weight.item()
        (-2.0, -4.0, 0.4)
        """
        return self._engine.trace(self._batch(X, y, sample_weight))

    @checks_keywords
    def explain(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        row: int | None = None,
        limit: int = 40,
        digits: int = 6,
    ) -> Explanation:
        """Return the coming `step` with the calculation of every number, to print or to show in a notebook.

        It shows for each unit the forward pass z = Σ x·w + b and a = f(z), then the loss with its terms, the backward
        pass delta = ∂L/∂z = (Σ delta·w) · slope, the gradient d_w = x · delta, and w ← w − learning_rate · d_w, or what
        the optimizer does instead, with all it keeps, such as m and v of Adam. The numbers are those of `trace`; the
        network is not changed. delta has the opposite sign of the (expected − actual) · slope of introductory texts.

        Parameters
        ----------
        X, y, sample_weight
            As in `gradient`, or one sample: X of shape (n_inputs,), y a label, a number or a row of targets. Losses and
            gradients are those of all rows. Dropout uses the masks of the coming step. The columns of a DataFrame name
            the inputs.
        row : int, optional
            The row that is written out, from 0. None: the first of those with the fewest zeros among inputs,
            activations and deltas, since products of zeros show little.
        limit : int, default 40
            A layer with at most `limit` weights is written out unit by unit, >= 0. A larger layer is summarized: the
            range and mean of each quantity, the share of dead units, and the largest numbers with their indices.
        digits : int, default 6
            Number of significant digits, from 1 to 17 (17 digits determine a float64 exactly).

        Returns
        -------
        Explanation
            Its `str` is the text. A notebook shows it with a drawing of the network; `save` writes that page to a file.

        Raises
        ------
        TypeError, ValueError
            As in `gradient`; `row`, `limit` or `digits` is not an integer in its range.

        Examples
        --------
        A linear unit with weight 0, input 2 and target 1:

        >>> from chainrule import SGD
        >>> net = Network([1, 1], optimizer=SGD(learning_rate=0.1), init="zeros", seed=0)
        >>> print(net.explain([2.0], 1.0))
        One training step on 1 row
        Network([1, 1], optimizer=SGD(learning_rate=0.1), init='zeros', seed=0)
        ...
        FORWARD
        ...
          Layer 1: Dense 1 identity
            unit 0  z = 2·0 + 0 = 0
                    a = identity(0) = 0
        ...
          Layer 1: Dense 1 identity
            unit 0  dL/da = 2·(0 − 1) = -2
                    slope = identity'(0) = 1
                    delta = (-2)·1 = -2
        ...
          Layer 1: Dense 1 identity
            w[0, 0]  d_w = 2·(-2) = -4
                       w ← 0 − 0.1·(-4) = 0.4
            b[0]     d_b = delta = -2
                       b ← 0 − 0.1·(-2) = 0.2
        ...
        """
        from .explain import explain

        return explain(self._engine, X, y, sample_weight, call=repr(self), row=row, limit=limit, digits=digits)

    # ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Make one update from a batch, with dropout, and return the batch's loss before the update.

        It equals ``net.apply_gradient(net.gradient(X, y, sample_weight, training=True))`` to the bit. A batch
        whose sample weights are all zero changes nothing and has loss 0. Parameters and errors are those of `gradient`.

        Raises
        ------
        DivergenceError
            The loss is not finite, the gradient is too large to be squared, or the update to be added. Nothing has
            changed.
        RuntimeError
            The network is being trained already, by another thread or by a `fit` that is calling this callback.

        Examples
        --------
        >>> net = Network([2, 1], init="zeros", seed=0)
        >>> net.step([[0.0, 1.0]], [1.0])
        1.0
        """
        if type(X) is ndarray and type(y) is ndarray and y.ndim == self._y_ndim:
            try:
                # The core refuses a sample_weight that is no array; it is converted below.
                return self._engine.native.step(X, y, sample_weight)  # type: ignore[arg-type]
            except DivergenceError:  # a ValueError, but no fault of the arrays
                raise
            except (TypeError, ValueError):
                pass  # converted or refused below
        return self._engine.native.step(*self._batch(X, y, sample_weight))

    def apply_gradient(self, gradient: Gradient | ArrayLike) -> None:
        """Make one update from a gradient, of `gradient`, `backward` or the caller's own.

        Parameters
        ----------
        gradient : Gradient or array_like, (n_parameters,)
            One finite number per parameter, in the order of `parameters` and `Gradient.flat`.

        Raises
        ------
        TypeError, ValueError
            `gradient` is no such array; nothing has changed.
        DivergenceError, RuntimeError
            As in `step`.

        Examples
        --------
        A loss of the caller's own, the sum of the outputs to the power 4:

        >>> net, X = Network([2, 1], optimizer="sgd", seed=0), [[0.0, 1.0], [1.0, 0.5]]
        >>> output = net.forward(X)
        >>> net.apply_gradient(net.backward(X, 4 * output**3))
        >>> bool((net.forward(X) ** 4).sum() < (output**4).sum())
        True
        """
        values = gradient.flat if isinstance(gradient, Gradient) else gradient
        self._engine.native.apply_gradient(_arrays.flat(values, self.n_parameters, self.dtype, "gradient"))

    @checks_keywords
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: ArrayLike | None = None,
        validation_data: Sequence[ArrayLike] | None = None,
        metrics: Iterable[MetricLike] = (),
        callbacks: Callback | Iterable[Callback] = (),
        progress: bool | None = None,
    ) -> History:
        """Train for `epochs` passes over the rows, with one `step` per batch.

        A second fit continues the first: weights, moments and the step and epoch counters carry over, and the order of
        rows is a function of the seed and the epoch. Fitting 4 epochs and then 6 equals fitting 10, to the bit.

        Parameters
        ----------
        X, y, sample_weight
            As in `gradient`. If X can be read in place it is not copied as a whole; do not write to it during the fit.
        epochs : int, default 1
            Number of passes over the rows, >= 1.
        batch_size : int, default 32
            Rows per step, >= 1; the last batch of an epoch may be smaller.
        shuffle : bool, default True
            Whether each epoch takes the rows in a new order. If one batch holds all rows they are not shuffled, since
            their order would change only the rounding of sums.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Data evaluated after each epoch, reported as "val_loss" and "val_" with the metric's name.
        metrics : sequence of str or function
            As in `evaluate`; measured after each epoch on the training data (one forward pass) and the validation data.
        callbacks : function or sequence of functions
            Each is called after each epoch as ``callback(network, epoch, logs)``, where `epoch` is the network's epoch
            count and `logs` holds the numbers of this epoch. A callback that returns True, or another true value, ends
            the fit. Callbacks may predict, evaluate, save, and read and set weights and the learning rate; a nested fit
            or step raises RuntimeError.
        progress : bool, optional
            Whether to show a progress bar (tqdm's, if installed). None: only if standard error is a terminal.

        Returns
        -------
        History

        Raises
        ------
        TypeError, ValueError
            As in `gradient`. All arguments are checked first. A value of X or y that is not finite is found when its
            batch is read; the network then returns to its state after the last epoch.
        DivergenceError
            The loss became NaN or infinite, in batch ``.batch`` of epoch ``.epoch``, both counted from 0. The network
            returns to its state after the last epoch. A smaller learning rate may help.
        RuntimeError
            The network is being trained already.
        KeyboardInterrupt
            Ctrl-C was pressed. The weights are those of the last step; the epoch is not counted.

        Examples
        --------
        >>> net = Network([1, 1], optimizer="sgd", seed=0)
        >>> history = net.fit([[0], [1], [2]], [1, 3, 5], epochs=200, batch_size=1, progress=False)
        >>> len(history), history.loss[0] > history.loss[-1]
        (200, True)
        """
        plan = fitting.plan(
            self._engine,
            X,
            y,
            sample_weight,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            validation_data=validation_data,
            metric_names=metrics,
            callbacks=callbacks,
        )
        return fitting.run(self._engine, plan, progress, self)

    @checks_keywords
    def verify(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        n_parameters: int = 500,
        n_rows: int = 32,
        seed: int = 0,
    ) -> Report:
        """Check this network's computations on your data and return a report, truthy if all checks hold.

        See `chainrule.verify`. The network is not changed.
        """
        from .verification.case import verify_engine

        return verify_engine(
            self._engine, X, y, sample_weight, call=repr(self), n_parameters=n_parameters, n_rows=n_rows, seed=seed
        )

    def _batch(self, X: object, y: object, sample_weight: object) -> Batch:
        return read_batch(self._engine.spec, X, y, sample_weight)

    # ── Keeping ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @checks_keywords
    def state_dict(self, *, training_state: bool = True) -> dict[str, Any]:
        """Return the network's state as named arrays and numbers; see `chainrule.checkpoint`."""
        return checkpoint.state_dict(self._engine, training_state=training_state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state that `state_dict` returned for a network of the same layers and loss.

        With a training state in it everything is taken over, the seed and the learning rate too, and training goes on
        exactly; without one only parameters and buffers are, and the rest of this network stays.

        Raises
        ------
        ValueError
            A key is missing or unknown, a shape is wrong, or the state's config does not match this network. Nothing
            has changed.
        RuntimeError
            The network is being trained. A callback of `fit` may load a state of the same seed.

        Warns
        -----
        UserWarning
            Training goes on with other dropout masks than the older chainrule that wrote the state would have drawn.

        Examples
        --------
        >>> net = Network([2, 1], seed=0)
        >>> best = net.state_dict()
        >>> loss = net.step([[0.0, 1.0]], [1.0])
        >>> net.load_state_dict(best)
        >>> net.step_count
        0
        """
        engine = checkpoint.rebuilt(state)
        native, spec = engine.native, engine.spec
        training_state, rate = "step" in state, spec.optimizer.learning_rate
        checkpoint.check_same(self.config, configuration.to_config(spec), training_state=training_state)
        if not training_state:
            self.parameters = native.parameters()
            self._engine.native.set_buffers(_arrays.cast(native.buffers(), self.dtype))
        elif spec.seed == self.seed and (isinstance(rate, float) or rate == self.optimizer.learning_rate):
            self._engine.native.restore(native.snapshot())
            if isinstance(rate, float):
                self._engine.native.learning_rate = rate
        else:  # a native network keeps seed and schedule for life, so it is replaced; it must not be in training
            spec = dataclasses.replace(spec, n_threads=self._engine.spec.n_threads)
            fitting.in_turn(self._engine.native, lambda: self._hold(dataclasses.replace(engine, spec=spec)))

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return a new network from the result of `state_dict`. Errors and warnings are those of `load_state_dict`."""
        network = object.__new__(cls)
        network._hold(checkpoint.rebuilt(state))
        return network

    @checks_keywords
    def save(self, path: str | os.PathLike[str], *, training_state: bool = True) -> None:
        """Write the network to a safetensors file. The file is replaced only when writing has succeeded.

        Parameters
        ----------
        path : str or os.PathLike
            The file; an existing one is replaced.
        training_state : bool, default True
            Whether to save the optimizer's moments and the counters, which training needs to continue exactly.

        Raises
        ------
        OSError
            The file cannot be written; a file that existed before is unchanged.
        ValueError
            A number of the network is not finite, which `load` would refuse.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> net = Network([2, 1], seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "net.safetensors"
        ...     net.save(path)
        ...     bool((Network.load(path).parameters == net.parameters).all())
        True
        """
        checkpoint.save(self._engine, path, training_state=training_state)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the network that `save` wrote. Nothing in the file is executed.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It is not a complete, valid file of a Network; the message says what is wrong.

        Warns
        -----
        UserWarning
            Training goes on with other dropout masks than the older chainrule that wrote the state would have drawn.
        """
        path = checkpoint.path_of(path)
        try:
            return cls.from_state_dict(checkpoint.read(path))
        except ValueError as error:
            raise checkpoint.about(path, error) from None

    @checks_keywords
    def copy(self) -> Self:
        """Return an independent network with the same parameters, moments and counters."""
        network = object.__new__(type(self))
        network.__dict__.update(self.__dict__)
        network._engine = self._engine.copy()
        return network

    def __copy__(self) -> Self:
        """Return a copy: two networks never share their parameters."""
        return self.copy()

    def __deepcopy__(self, memo: object) -> Self:
        """Return a copy."""
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickle, and any attributes that users have set."""
        own = {"_engine", "_y_ndim"}
        return {
            "state": self.state_dict(),
            "attributes": {name: value for name, value in self.__dict__.items() if name not in own},
        }

    def __setstate__(self, pickled: object) -> None:
        """Rebuild the network from its pickled state.

        Raises
        ------
        TypeError, ValueError
            It is not what `__getstate__` returns.
        """
        parts = pickled if isinstance(pickled, dict) else {}
        state, attributes = parts.get("state"), parts.get("attributes")
        if not isinstance(state, dict) or not isinstance(attributes, dict):
            raise TypeError("the pickle of a network must hold the dicts 'state' and 'attributes'")
        self._hold(checkpoint.rebuilt(state))
        self.__dict__.update(attributes)


def engine_of(network: Network) -> Engine:
    """Return a network's engine, for the functions of this package that take a Network from the user."""
    if not isinstance(network, Network):
        raise TypeError(f"network must be a chainrule.Network, not {shown(network)}")
    return network._engine  # noqa: SLF001 - kept for this package


choose_metrics = metrics.choose  # `metrics` is an argument of the methods above


def read_only(array: Array) -> Array:
    """Make the array read-only and return it."""
    array.flags.writeable = False
    return array
