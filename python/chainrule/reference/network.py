"""A multilayer perceptron and backpropagation, from top to bottom.

    article                                        here
    activation = sum(weight * input) + bias        z = x w + b                           layers.Dense.forward
    transfer                                       a = f(z)                              layers.Dense.forward
    forward propagation                            a of a layer is x of the next         Network._propagate
    error of the outputs                           d_output = dL/da                      Network._error
    error * slope                                  delta = dL/dz = dL/da ⊙ f'(z)         layers.Dense.delta
    error of a hidden layer: the weighted          d_x = delta wᵀ, which is dL/da of     layers.Dense.d_inputs
      errors of the layer after it                   the layer before
    gradient                                       d_w = xᵀ delta,  d_b = Σ delta        layers.Dense.gradient
    backpropagation                                from the last layer to the first      Network._backpropagate
    update by gradient descent                     w ← w − learning_rate · d_w           optimizers.SGD.update

x is a batch, one sample a row. L is the mean loss of the batch. The article's error is (expected − actual) * slope;
delta has the opposite sign, since it is the slope of a loss that is to go down.
"""

from __future__ import annotations

import dataclasses
import math
from array import array
from collections.abc import Sized
from itertools import chain
from typing import TYPE_CHECKING, Any

from .config import from_config, resolve, to_config
from .describe import constructor, layers_html
from .inputs import as_matrix, as_row, iterable, weights_of_rows
from .optimizers import OPTIMIZERS
from .options import LARGEST, choose, integer, shown
from .records import Gradient, History, LayerTrace, biases, weights
from .rng import SHUFFLE, WEIGHTS, Draws, Stream
from .spelling import checks_keywords
from .vectors import Matrix, Row, Tensors, dot, flatten, total, unflatten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

    from chainrule.names import ActivationName, DType, InitName, LossName, OptimizerName

    from .activations import Activation
    from .config import Spec
    from .inits import Init
    from .layers import Layer, Pass
    from .losses import Loss
    from .optimizers import Optimizer, State


MOST_PARAMETERS = 10**8  # lists of so many floats take 3 GB each


class Network:
    """A multilayer perceptron in plain Python, with the names and the results of chainrule.Network.

    z_l = a_{l−1} w_l + b_l, a_l = f_l(z_l), a_0 = X. Rumelhart, Hinton & Williams 1986, "Learning representations by
    back-propagating errors". All arithmetic is in double precision, sums run from left to right. It is hundreds of
    times slower than chainrule.Network, and is made to be read and to be compared with. Differences: rows are lists of
    floats, not arrays; with dtype="float32" only the initial weights are rounded to it; `fit` knows no callbacks and
    no metrics.

    Parameters
    ----------
    layers : sequence
        First the number of inputs, then one item for each layer: an int (a Dense layer with that many units),
        `Dense(...)` or another layer. The last is dense and makes the outputs.
    activation, output_activation : str or option, default "relu" and "identity"
        The activation function of the dense layers that name none themselves: of the hidden ones, and of the last.
    loss : str or option, default "mse"
        "mse", "cross_entropy", … or an option such as Huber(delta=0.5); `losses` has them all.
    optimizer : str or option, default "adam"
        A name such as "sgd" or "rmsprop", with the defaults, or an option such as SGD(learning_rate=0.1);
        docs/options.md lists them with their update rules.
    init : str or option, default "glorot_uniform"
        The rule for the initial weights of the layers that name none; docs/options.md lists them. Biases start at zero.
    dtype : str or NumPy dtype, default "float32"
        "float32" or "float64".
    seed : int, optional
        In [0, 2**63). Decides the initial weights, the order of rows and the dropout masks; the same seed gives the
        same ones in chainrule.Network. None draws one.
    n_threads : int, optional
        Accepted so that both networks take the same arguments; there is one thread.

    Raises
    ------
    TypeError
        An argument has the wrong type.
    ValueError
        An argument has a wrong value; the message says which, and what is allowed.
    MemoryError
        There are more parameters than lists of floats are good for.

    Examples
    --------
    The exclusive or, which no network without a hidden layer can learn:

    >>> from chainrule.reference import SGD, Network
    >>> net = Network(
    ...     [2, 3, 1], activation="tanh", loss="binary_cross_entropy", optimizer=SGD(learning_rate=1.0), seed=1
    ... )
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> history = net.fit(X, y, epochs=300, batch_size=4)
    >>> [round(p) for (p,) in net.predict(X)]
    [0, 1, 1, 0]
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
        spec = resolve(
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
        self._spec = spec
        self.layers = spec.layers
        self.loss = spec.loss
        self.dtype = spec.dtype
        self.seed = spec.seed
        self.n_inputs = spec.n_inputs
        self.n_outputs = spec.n_outputs
        self.step_count = 0  # updates made
        self.epoch_count = 0  # passes through the data made
        # The numbers of layer l by name: tensors are trained, buffers are only saved.
        inputs = spec.widths[:-1]
        self._shapes = [layer.shapes(n_in) for layer, n_in in zip(self.layers, inputs, strict=True)]
        self._tensors: list[Tensors] = []
        self.buffers: list[dict[str, Row]] = []
        self.n_parameters = sum(math.prod(shape) for shapes in self._shapes for shape in shapes.values())
        if self.n_parameters > MOST_PARAMETERS:
            raise MemoryError(
                f"the network has {self.n_parameters} parameters, and in plain Python at most {MOST_PARAMETERS} are "
                "allowed; chainrule.Network holds more"
            )
        for l, (layer, shapes, n_in) in enumerate(zip(self.layers, self._shapes, inputs, strict=True)):
            tensors = layer.start(Stream(self.seed, WEIGHTS, l), n_in)
            for name, shape in shapes.items():
                values = flatten(tensors[name])
                if self.dtype == "float32":
                    values = list(array("f", values))  # to the nearest float32
                if not all(map(math.isfinite, values)):
                    raise ValueError(f"layer {l + 1}: the initial weights are too large for {self.dtype}")
                tensors[name] = unflatten(iter(values), shape)
            self._tensors.append(tensors)
            self.buffers.append(layer.buffers(n_in))
        self.state: State
        self.optimizer = spec.optimizer

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the network that a config describes, with its initial weights.

        Examples
        --------
        >>> net = Network([2, 3, 1], seed=0)
        >>> Network.from_config(net.config).parameters == net.parameters
        True
        """
        spec = from_config(config)
        return cls(
            [spec.n_inputs, *spec.layers],
            loss=spec.loss,
            optimizer=spec.optimizer,
            dtype=spec.dtype,
            seed=spec.seed,
            n_threads=spec.n_threads,
        )

    def __repr__(self) -> str:
        """Show the constructor call that builds a network of the same options."""
        return constructor(self._current, "reference.Network")

    def _repr_html_(self) -> str:
        """Show the layers too, for a notebook."""
        return layers_html(self._current, "reference.Network")

    # ── Forward propagation ──────────────────────────────────────────────────────────────────────────────────────────

    def _propagate(self, x: Matrix, *, training: bool) -> list[Pass]:
        """Return what happens in each layer; the outputs of one are the inputs of the next."""
        passes: list[Pass] = []
        for l, layer in enumerate(self.layers):
            # The masks of a step are a function of its number: forward and backward, here and in the fast core,
            # find the same ones.
            draws = Draws(self.seed, l, self.step_count) if training else None
            seen = layer.forward(x, {**self._tensors[l], **self.buffers[l]}, draws)
            passes.append(seen)
            x = seen.a
        return passes

    @checks_keywords
    def forward(self, X: Iterable[Iterable[float]], *, training: bool = False) -> Matrix:
        """Return the raw outputs a_L of the last layer, before the loss's link.

        Parameters
        ----------
        X : rows of numbers, (n, n_inputs)
            The samples.
        training : bool, default False
            Whether dropout silences units, with the masks of the coming step.

        Returns
        -------
        list of rows, (n, n_outputs)

        Raises
        ------
        ValueError
            X has the wrong number of columns, or a number that is not finite.

        Examples
        --------
        >>> net = Network([2, 1], seed=0)
        >>> net.weights, net.biases = [[[1.0], [2.0]]], [[0.5]]
        >>> net.forward([[10.0, 20.0], [0.0, 0.0]])
        [[50.5], [0.5]]
        """
        return self._propagate(self._samples(X), training=training)[-1].a

    @checks_keywords
    def predict(self, X: Iterable[Iterable[float]]) -> Matrix:
        """Return the outputs through the loss's link: probabilities for the cross-entropies, for example.

        Examples
        --------
        >>> net = Network([2, 2], loss="cross_entropy", init="zeros", seed=0)
        >>> net.forward([[1.0, 2.0]])
        [[0.0, 0.0]]
        >>> net.predict([[1.0, 2.0]])
        [[0.5, 0.5]]
        """
        return [self.loss.link.value(a) for a in self.forward(X)]

    # ── The error ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _loss(self, a: Matrix, y: Matrix, row_weights: Row) -> float:
        """Return L = Σ w_i l_i / Σ w_i + Σ_layers ½ l2 ‖w‖²."""
        losses = [self.loss.value(a_row, y_row) for a_row, y_row in zip(a, y, strict=True)]
        penalty = total(layer.penalty(tensors) for layer, tensors in zip(self.layers, self._tensors, strict=True))
        return dot(row_weights, losses) / total(row_weights) + penalty

    def _error(self, a: Matrix, y: Matrix, row_weights: Row) -> Matrix:
        """Return d_output = dL/da of the last layer."""
        # L is a mean, so each row's error is its share of it: dL/da = (w_i / Σ w) · dl_i/da.
        sum_of_weights = total(row_weights)
        rows = zip(row_weights, a, y, strict=True)
        return [[w / sum_of_weights * s for s in self.loss.slope(a_row, y_row)] for w, a_row, y_row in rows]

    @checks_keywords
    def evaluate(
        self, X: Iterable[Iterable[float]], y: Iterable[Any], sample_weight: Iterable[float] | None = None
    ) -> dict[str, float]:
        """Return {"loss": L} on samples with their targets.

        L = Σ wᵢ lᵢ / Σ wᵢ + Σ_layers ½ l2 ‖w‖², without dropout; 0 where all weights are zero.

        Examples
        --------
        >>> Network([2, 1], init="zeros", seed=0).evaluate([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0])
        {'loss': 2.5}
        """
        x, targets, row_weights = self._batch(X, y, sample_weight)
        if total(row_weights) == 0.0:
            return {"loss": 0.0}
        return {"loss": self._loss(self._propagate(x, training=False)[-1].a, targets, row_weights)}

    # ── Backpropagation ──────────────────────────────────────────────────────────────────────────────────────────────

    def _backpropagate(
        self, passes: list[Pass], d_output: Matrix, *, to_inputs: bool = False
    ) -> tuple[list[Matrix], list[Tensors], Matrix]:
        """Return delta and the gradient of each layer, and d_inputs if asked for (else [])."""
        deltas: list[Matrix] = []
        gradients: list[Tensors] = []
        error = d_output  # dL/da of the layer at hand, at first the last
        for l in reversed(range(len(self.layers))):
            layer, seen, tensors = self.layers[l], passes[l], self._tensors[l]
            delta = layer.delta(error, seen)  # error * slope
            gradient = layer.gradient(delta, seen, tensors)  # what each parameter of the layer did to the loss
            # The inputs of this layer are the outputs of the one before.
            error = layer.d_inputs(delta, seen, tensors) if l > 0 or to_inputs else []
            deltas.insert(0, delta)
            gradients.insert(0, gradient)
        return deltas, gradients, error

    @checks_keywords
    def gradient(
        self,
        X: Iterable[Iterable[float]],
        y: Iterable[Any],
        sample_weight: Iterable[float] | None = None,
        *,
        training: bool = False,
    ) -> Gradient:
        """Return the loss of a batch and its gradient: the slope along every weight and bias.

        Parameters
        ----------
        X : rows of numbers, (n, n_inputs)
            The samples.
        y : rows of numbers, (n, n_targets)
            Their targets, for most losses one for each output; (n,) where there is one for each row; (n,) integer
            labels for the losses of classes.
        sample_weight : numbers, (n,), optional
            How much each sample counts, >= 0. If all are zero, loss and gradient are zero.
        training : bool, default False
            Whether dropout silences units, with the masks of the coming step.

        Returns
        -------
        Gradient
            With loss, weights, biases and flat.

        Raises
        ------
        ValueError
            A shape does not fit, a number is not finite or out of range.

        Examples
        --------
        A linear unit of weight 0 that should say 1 for 2: L = (2 w + b − 1)².

        >>> gradient = Network([1, 1], init="zeros", seed=0).gradient([[2.0]], [1.0])
        >>> gradient.loss, gradient.weights, gradient.biases
        (1.0, ([[-4.0]],), ([-2.0],))
        """
        x, targets, row_weights = self._batch(X, y, sample_weight)
        loss, gradients, _ = self._loss_and_gradient(x, targets, row_weights, training=training)
        return Gradient(loss, tuple(gradients), self._flatten(gradients))

    def _loss_and_gradient(
        self, x: Matrix, y: Matrix, row_weights: Row, *, training: bool
    ) -> tuple[float, list[Tensors], list[Pass]]:
        if total(row_weights) == 0.0:
            return 0.0, self._split([0.0] * self.n_parameters), []
        passes = self._propagate(x, training=training)
        a = passes[-1].a
        _, gradients, _ = self._backpropagate(passes, self._error(a, y, row_weights))
        return self._loss(a, y, row_weights), gradients, passes

    @checks_keywords
    def backward(
        self, X: Iterable[Iterable[float]], d_output: Iterable[Iterable[float]], *, training: bool = False
    ) -> Gradient:
        """Return the gradient that follows from the caller's own dL/d(output), with dL/dX as `.inputs`.

        For losses that chainrule does not have. The l2 of the layers is added as in `gradient`.

        Parameters
        ----------
        X : rows of numbers, (n, n_inputs)
            The samples.
        d_output : rows of numbers, (n, n_outputs)
            The slope of the caller's L along each raw output (of `forward`). Nothing is divided by n.
        training : bool, default False
            Whether dropout silences units, with the masks of the coming step.

        Returns
        -------
        Gradient
            Its loss is None.

        Examples
        --------
        >>> net = Network([2, 1], seed=0)
        >>> net.weights = [[[3.0], [4.0]]]
        >>> gradient = net.backward([[10.0, 20.0]], [[1.0]])
        >>> gradient.weights, gradient.inputs
        (([[10.0], [20.0]],), [[3.0, 4.0]])
        """
        x = self._samples(X, at_least=1)
        error = as_matrix("d_output", d_output, self.n_outputs, f"the network has {self.n_outputs} outputs")
        if len(error) != len(x):
            raise ValueError(f"d_output has {len(error)} rows but X has {len(x)}")
        passes = self._propagate(x, training=training)
        _, gradients, d_x = self._backpropagate(passes, error, to_inputs=True)
        return Gradient(None, tuple(gradients), self._flatten(gradients), d_x)

    # ── Update ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @checks_keywords
    def apply_gradient(self, gradient: Gradient | Iterable[float]) -> None:
        """Make one step of the optimizer with a Gradient, or a row of numbers in the order of `parameters`.

        Raises
        ------
        ValueError
            If the gradient is not a row of finite numbers for all parameters; and if a parameter would not be finite
            after the step. Nothing has changed then.

        Examples
        --------
        >>> from chainrule.reference import SGD
        >>> net = Network([1, 1], optimizer=SGD(learning_rate=0.5), init="zeros", seed=0)
        >>> net.apply_gradient([-4.0, -2.0])
        >>> net.parameters
        [2.0, 1.0]
        """
        values = gradient.flat if isinstance(gradient, Gradient) else gradient
        flat = as_row("gradient", values, self.n_parameters, "the network's parameters")
        new, state = self.optimizer.update(self.parameters, flat, self.state, self.step_count + 1)
        if not all(map(math.isfinite, chain(new, *state.values()))):
            raise ValueError(f"the update at step {self.step_count} is too large: try a smaller learning rate")
        self.state = state
        self._tensors = self._split(new)
        self.step_count += 1

    @checks_keywords
    def step(
        self, X: Iterable[Iterable[float]], y: Iterable[Any], sample_weight: Iterable[float] | None = None
    ) -> float:
        """Return the loss of a batch, and take one step down: forward, backward, update.

        The same as `apply_gradient(gradient(X, y, sample_weight, training=True))`, with two differences: the buffers
        take their new values, and a batch whose weights are all zero changes nothing.

        Raises
        ------
        ValueError
            As `gradient`; and if the loss, or a parameter after the step, is not finite, usually since the learning
            rate is too large. Nothing has changed then.

        Examples
        --------
        >>> from chainrule.reference import SGD
        >>> net = Network([1, 1], optimizer=SGD(learning_rate=0.1), init="zeros", seed=0)
        >>> [net.step([[2.0]], [1.0]), net.step([[2.0]], [1.0])]
        [1.0, 0.0]
        """
        return self._step(*self._batch(X, y, sample_weight))

    def _step(self, x: Matrix, y: Matrix, row_weights: Row) -> float:
        if total(row_weights) == 0.0:
            return 0.0
        loss, gradients, passes = self._loss_and_gradient(x, y, row_weights, training=True)
        if not math.isfinite(loss):
            raise ValueError(f"the loss is {loss} at step {self.step_count}: try a smaller learning rate")
        self.apply_gradient(self._flatten(gradients))
        self.buffers = [buffers | seen.buffers for buffers, seen in zip(self.buffers, passes, strict=True)]
        return loss

    # ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @checks_keywords
    def fit(
        self,
        X: Iterable[Iterable[float]],
        y: Iterable[Any],
        *,
        epochs: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Iterable[float] | None = None,
        validation_data: Sequence[Iterable[Any]] | None = None,
    ) -> History:
        """Go through the samples `epochs` times, one step for each batch; a second fit goes on from there.

        The loss of an epoch is Σ_b L_b W_b / Σ_b W_b, where W_b is the sum of the weights of batch b and L_b its loss
        before the update.

        Parameters
        ----------
        X, y, sample_weight
            As in `gradient`.
        epochs : int, default 1
            How often to go through the samples, >= 1.
        batch_size : int, default 32
            How many samples a step looks at, >= 1; the last batch of an epoch may be smaller.
        shuffle : bool, default True
            Whether each epoch takes the samples in a new order, a function of the seed and the epoch. A single batch of
            all samples keeps their order.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Samples whose loss is measured after each epoch.

        Returns
        -------
        History

        Examples
        --------
        >>> from chainrule.reference import SGD
        >>> net = Network([1, 1], optimizer=SGD(learning_rate=0.1), seed=0)
        >>> history = net.fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], epochs=200, batch_size=1)
        >>> net.predict([[10.0]])
        [[21.0]]
        >>> len(history), history.loss[0] > history.loss[-1]
        (200, True)
        """
        x, targets, row_weights = self._batch(X, y, sample_weight)
        epochs = integer("epochs", epochs, 1, LARGEST)
        batch_size = integer("batch_size", batch_size, 1, LARGEST)
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                raise TypeError(
                    f"validation_data must be (X, y) or (X, y, sample_weight), not {shown(validation_data)}"
                )
            self.evaluate(*validation_data)  # refuses what is wrong before the first epoch
        history = History()
        for _ in range(epochs):
            logs = {"loss": self._epoch(x, targets, row_weights, batch_size, shuffle=shuffle)}
            if validation_data is not None:
                logs["val_loss"] = self.evaluate(*validation_data)["loss"]
            history.append(self.epoch_count, logs)
        return history

    def _epoch(self, x: Matrix, y: Matrix, row_weights: Row, batch_size: int, *, shuffle: bool) -> float:
        n = len(x)
        if total(row_weights) == 0.0:
            return 0.0
        order = list(range(n))
        if shuffle and batch_size < n:
            order = Stream(self.seed, SHUFFLE, self.epoch_count).permutation(n)
        sum_of_losses = sum_of_weights = 0.0
        for start in range(0, n, batch_size):
            rows = order[start : start + batch_size]
            batch_weights = [row_weights[i] for i in rows]
            batch_weight = total(batch_weights)
            sum_of_losses += self._step([x[i] for i in rows], [y[i] for i in rows], batch_weights) * batch_weight
            sum_of_weights += batch_weight
        self.epoch_count += 1
        return sum_of_losses / sum_of_weights

    # ── What can be seen and set ─────────────────────────────────────────────────────────────────────────────────────

    @checks_keywords
    def trace(
        self, X: Iterable[Iterable[float]], y: Iterable[Any], sample_weight: Iterable[float] | None = None
    ) -> list[LayerTrace]:
        """Return every quantity of the coming `step`, layer by layer, without making it.

        Dropout layers have the masks of the coming step: z is their input, slope the mask.

        Examples
        --------
        >>> from chainrule.reference import SGD
        >>> net = Network([1, 1], optimizer=SGD(learning_rate=0.1), init="zeros", seed=0)
        >>> (layer,) = net.trace([[2.0]], [1.0])
        >>> layer.z, layer.slope, layer.delta, layer.d_weight, layer.update_weight
        ([[0.0]], [[1.0]], [[-2.0]], [[-4.0]], [[0.4]])
        """
        x, targets, row_weights = self._batch(X, y, sample_weight)
        passes = self._propagate(x, training=True)
        if total(row_weights) > 0.0:
            d_output = self._error(passes[-1].a, targets, row_weights)
            deltas, gradients, _ = self._backpropagate(passes, d_output)
            old = self.parameters
            new, _ = self.optimizer.update(old, self._flatten(gradients), self.state, self.step_count + 1)
            updates = self._split([n - o for n, o in zip(new, old, strict=True)])
        else:  # a batch that counts nothing changes nothing
            deltas = [[[0.0] * len(row) for row in seen.z] for seen in passes]
            gradients = updates = self._split([0.0] * self.n_parameters)
        return [
            LayerTrace(
                index=l + 1,
                kind=layer.name,
                z=seen.z,
                a=seen.a,
                slope=layer.slope(seen),
                delta=deltas[l],
                gradients=gradients[l],
                updates=updates[l],
            )
            for l, (layer, seen) in enumerate(zip(self.layers, passes, strict=True))
        ]

    @property
    def parameters(self) -> Row:
        """All parameters in one row: w of the first layer row by row, its b, w of the second, … (a copy)."""
        return self._flatten(self._tensors)

    @parameters.setter
    def parameters(self, values: Iterable[float]) -> None:
        self._tensors = self._split(as_row("parameters", values, self.n_parameters, "the network's parameters"))

    @property
    def weights(self) -> tuple[Matrix, ...]:
        """The weight of each layer that has one, (n_in, n_out) (copies); assign a whole sequence to set them."""
        return tuple([row.copy() for row in w] for w in weights(self._tensors))

    @weights.setter
    def weights(self, values: Iterable[Iterable[Iterable[float]]]) -> None:
        new = list(self._tensors)
        for name, l, value in self._with_weights("weights", values):
            n_in, n_out = self._shapes[l]["weight"]
            w = as_matrix(name, value, n_out, f"layer {l + 1} has {n_out} units")
            if len(w) != n_in:
                raise ValueError(f"{name} has {len(w)} rows but layer {l + 1} has {n_in} inputs")
            new[l] = new[l] | {"weight": w}
        self._tensors = new

    @property
    def biases(self) -> tuple[Row, ...]:
        """The bias of each layer with a weight, (n_out,), [] if it has none (copies); assign a sequence to set them."""
        return tuple(b.copy() for b in biases(self._tensors))

    @biases.setter
    def biases(self, values: Iterable[Iterable[float]]) -> None:
        new = list(self._tensors)
        for name, l, value in self._with_weights("biases", values):
            b = as_row(name, value, self._shapes[l].get("bias", (0,))[0], f"the biases of layer {l + 1}")
            new[l] = new[l] | ({"bias": b} if "bias" in new[l] else {})
        self._tensors = new

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer; assign an optimizer or its name to replace it, with moments and `step_count` of zero."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, value: OptimizerName | Optimizer) -> None:
        self._optimizer = choose("optimizer", value, OPTIMIZERS)
        self.state = {name: [0.0] * self.n_parameters for name in self._optimizer.state_names}
        self.step_count = 0

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update; assign a number to change it."""
        return self.optimizer.rate(self.step_count + 1)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._optimizer = self.optimizer.with_learning_rate(value)

    @property
    def config(self) -> dict[str, Any]:
        """What the network was asked to be, ready for JSON; `from_config` makes it again."""
        return to_config(self._current)

    @property
    def _current(self) -> Spec:
        """What was asked for, with the current learning rate."""
        return dataclasses.replace(self._spec, optimizer=self.optimizer)

    # ── Between the caller's data and lists of floats ────────────────────────────────────────────────────────────────

    def _samples(self, X: Iterable[Iterable[float]], *, at_least: int = 0) -> Matrix:
        x = as_matrix("X", X, self.n_inputs, f"the network was built for {self.n_inputs}")
        if len(x) < at_least:
            raise ValueError("X has no rows; at least one is needed")
        return x

    def _batch(
        self, X: Iterable[Iterable[float]], y: Iterable[Any], sample_weight: Iterable[float] | None
    ) -> tuple[Matrix, Matrix, Row]:
        x = self._samples(X, at_least=1)
        return x, self.loss.targets(y, len(x), self.n_outputs), weights_of_rows(sample_weight, len(x))

    def _with_weights(self, argument: str, values: Iterable[Any]) -> Iterable[tuple[str, int, Any]]:
        """Return the value for each layer that has a weight, with its name in messages and the layer's position."""
        given = iterable(argument, values)
        given = given if isinstance(given, Sized) else list(given)
        layers = [l for l, tensors in enumerate(self._tensors) if "weight" in tensors]
        if len(given) != len(layers):
            raise ValueError(
                f"{argument} has {len(given)} items, but the network has {len(layers)} layers with weights"
            )
        return [(f"{argument}[{i}]", l, value) for i, (l, value) in enumerate(zip(layers, given, strict=True))]

    def _flatten(self, tensors: Sequence[Tensors]) -> Row:
        """Return the tensors of all layers in one row, in the order of `parameters`."""
        values: Row = []
        for shapes, of_layer in zip(self._shapes, tensors, strict=True):
            for name in shapes:
                values += flatten(of_layer[name])
        return values

    def _split(self, values: Row) -> list[Tensors]:
        """Return the tensors of each layer from all of them in one row."""
        rest = iter(values)
        return [{name: unflatten(rest, shape) for name, shape in shapes.items()} for shapes in self._shapes]
