import TestSupport

/// Jobs of many kinds and sizes, from a fraction of a millisecond to some hundred.
enum MixedJobs {
  /// Different documents, each under its name.
  static let documents: [(name: String, text: String)] = (0..<30).map { k in
    ("kind\(k)", job(k).json)
  }

  private static func job(_ k: Int) -> JobText {
    let gradients = [
      #"["outputs"]"#,
      #"["outputs", "parameter-jacobian"]"#,
      #"[{"of": "parameter-jacobian", "layout": "matrix"}, "input-jacobian"]"#,
      #"[{"of": "parameter-jacobian", "form": "factored"}, "local-gradients", "loss"]"#,
      #"["loss-gradient", "input-jacobian"]"#,
      #"[{"of": "loss-gradient", "per_sample": true}, "loss"]"#,
    ]
    let activations = ["tanh", "relu", "softmax", "gelu", "log-softmax"]
    var job = JobText(
      activation: activations[k % activations.count], gradients: gradients[k % gradients.count],
      more: k % 4 == 3 ? #", "dtype": "float32""# : "", seed: UInt64(100 + k))
    switch k {
    case 0..<18: (job.widths, job.samples) = ([2 + k % 5, 3 + k % 7, 1 + k % 3], 1 + k)
    case 18..<26: (job.widths, job.samples) = ([8, 24, 24, 4], 40 + 7 * k)
    default: (job.widths, job.samples) = ([16, 96, 96, 8], 150 + k)
    }
    return job
  }
}
