"""chainrule beside NumPy by hand, scikit-learn, torch and JAX on the same work: ``python -m benches.peers``.

Each peer is one module NAME_peer.py with NAME, VERSION and a class Peer(workload, threads):

    few_steps(steps)   parameters w_1, b_1, w_2, … after the first batches in order, from the first weights
    fit(epochs)        train on, each epoch in a fresh order; this is timed
    step_on(rows)      a function that makes one update on that many rows
    predict_on(rows)   a function that returns the prediction (through the loss's link) for that many rows
"""
