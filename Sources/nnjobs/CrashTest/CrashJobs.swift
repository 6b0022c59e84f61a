/// The job files that a crash test drops: each small, and each with the one end its name says.
enum CrashJobs {
  /// A job that succeeds: 3 arrays of a few hundred bytes.
  static let succeeding = """
    {"version": 1,
     "network": {"type": "feed-forward", "layers": [
       {"weights": [[0.5, -1.0, 0.25], [0.25, 2.0, -0.75], [1.5, 0.125, 0.5]],
        "biases": [0.0, 0.1, -0.2], "activation": "tanh"},
       {"weights": [[1.0, -0.5, 0.75], [0.3, 0.6, -0.9]], "activation": "identity"}]},
     "inputs": [[0.1, 0.2, 0.3], [-0.4, 0.5, -0.6]], "targets": [[1.0, 0.0], [0.0, 1.0]],
     "gradients": ["outputs", {"of": "parameter-jacobian", "layout": "matrix"}, "loss"]}
    """

  /// A job that fails when it is computed: in float32 10⁸ + 1 − 10⁸ is 0, which its own check finds out.
  static let failing = """
    {"version": 1, "dtype": "float32", "verify": true,
     "network": {"type": "feed-forward", "layers": [
       {"weights": [[100000000], [100000000]], "biases": [1, 0], "activation": "identity"},
       {"weights": [[1, -1]], "activation": "tanh"}, {"weights": [[1]], "activation": "identity"}]},
     "inputs": [[1]], "gradients": ["parameter-jacobian"]}
    """

  /// A file that is no job, and is refused.
  static let refused = "{\"version\": 1}"
}
