import Formats
import Jacobians
import Testing

/// A job of one layer in JSON.
let smallJob = """
  {"version": 1,
   "network": {"type": "feed-forward", "layers": [
     {"weights": [[0.5, -1.0], [0.25, 2.0]], "biases": [0.0, 0.1], "activation": "identity"}]},
   "inputs": [[1, 2], [3, 4], [5, 6]],
   "gradients": ["outputs"]}
  """

/// The numbers of `values` in an array.
func numbers<T: Scalar>(_ values: Values<T>) -> [T] {
  var numbers: [T] = []
  let span = values.span
  for i in span.indices { numbers.append(span[i]) }
  return numbers
}

struct JobFileTests {
  @Test func `a JSON job gives its network, inputs and requests`() throws {
    let job = try JobFile(examining: Array(smallJob.utf8), path: "a.json")
    #expect(job.document.batch == 3)
    #expect(job.document.network.layers.count == 1)
    let problem = try job.problem(Double.self)
    #expect(numbers(problem.inputs) == [1, 2, 3, 4, 5, 6])
    #expect(numbers(problem.network.weights[0]) == [0.5, -1, 0.25, 2])
    let single = try job.problem(Float.self)
    #expect(try numbers(#require(single.network.biases[0])) == [0, 0.1])
  }
}
