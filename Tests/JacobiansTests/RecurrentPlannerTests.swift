import Jacobians
import Testing

/// What the planner refuses and chooses.
@Suite struct RecurrentPlannerTests {
  static let network = NetworkShape(layers: [
    LayerShape(inputs: 6, outputs: 5, hasBiases: true, activation: .tanh),
    LayerShape(inputs: 5, outputs: 7, hasBiases: true, activation: .tanh),
  ])

  static func plan(
    units: Int = 3, batch: Int = 2, steps: Int = 10, lengths: [Int]? = nil,
    requests: [GradientRequest] = [GradientRequest(name: "parameter-jacobian")],
    hasTargets: Bool = true, network: NetworkShape = network, strategy: RecurrentStrategy? = nil,
    memory: Int? = nil, blockSteps: Int? = nil
  ) throws(PlanError) -> RecurrentPlan {
    try Planner.plan(
      recurrent: network, recurrence: Recurrence(units: units),
      shape: SequenceShape(batch: batch, steps: steps, lengths: lengths), dtype: .float64,
      requests: requests, hasTargets: hasTargets, hasInitialState: false, verify: false,
      strategy: strategy, memory: memory, blockSteps: blockSteps)
  }

  struct Refusal: CustomTestStringConvertible, Sendable {
    let name: String
    let place: String
    let plan: @Sendable () throws(PlanError) -> RecurrentPlan
    var testDescription: String { name }
  }

  static func steps(_ option: GradientRequest.Option) -> [GradientRequest] {
    [GradientRequest(name: "outputs", options: ["steps": option])]
  }

  static let refusals: [Refusal] = [
    Refusal(name: "no unit fed back", place: "network.recurrent_units") {
      () throws(PlanError) in try plan(units: 0)
    },
    Refusal(name: "no input left", place: "network.recurrent_units") {
      () throws(PlanError) in try plan(units: 6)
    },
    Refusal(name: "no steps", place: "inputs") { () throws(PlanError) in try plan(steps: 0) },
    Refusal(name: "lengths for another batch", place: "lengths") {
      () throws(PlanError) in try plan(lengths: [3])
    },
    Refusal(name: "a length of zero", place: "lengths[1]") {
      () throws(PlanError) in try plan(lengths: [3, 0])
    },
    Refusal(name: "a length beyond T", place: "lengths[0]") {
      () throws(PlanError) in try plan(lengths: [11, 1])
    },
    Refusal(name: "nothing asked for", place: "gradients") {
      () throws(PlanError) in try plan(requests: [])
    },
    Refusal(name: "an unknown gradient", place: "gradients[0]") {
      () throws(PlanError) in try plan(requests: [GradientRequest(name: "hessian")])
    },
    Refusal(name: "an unknown option", place: "gradients[0].form") {
      () throws(PlanError) in
      try plan(requests: [GradientRequest(name: "outputs", options: ["form": .text("dense")])])
    },
    Refusal(name: "no targets", place: "gradients[0]") {
      () throws(PlanError) in
      try plan(requests: [GradientRequest(name: "loss-gradient")], hasTargets: false)
    },
    Refusal(name: "a state among outputs", place: "gradients[0].outputs[0]") {
      () throws(PlanError) in
      try plan(requests: [
        GradientRequest(name: "parameter-jacobian", options: ["outputs": .integers([4])])
      ])
    },
    Refusal(name: "a step 0", place: "gradients[0].steps[0]") {
      () throws(PlanError) in try plan(requests: steps(.integers([0, 1])))
    },
    Refusal(name: "a step beyond T", place: "gradients[0].steps[1]") {
      () throws(PlanError) in try plan(requests: steps(.integers([1, 11])))
    },
    Refusal(name: "steps that descend", place: "gradients[0].steps[1]") {
      () throws(PlanError) in try plan(requests: steps(.integers([2, 1])))
    },
    Refusal(name: "no step", place: "gradients[0].steps") {
      () throws(PlanError) in try plan(requests: steps(.texts([])))
    },
    Refusal(name: "an unknown word for steps", place: "gradients[0].steps") {
      () throws(PlanError) in try plan(requests: steps(.text("some")))
    },
    Refusal(name: "a range beyond T", place: "gradients[0].steps") {
      () throws(PlanError) in try plan(requests: steps(.range(from: 3, to: 11)))
    },
    Refusal(name: "a range backwards", place: "gradients[0].steps") {
      () throws(PlanError) in try plan(requests: steps(.range(from: 3, to: 2)))
    },
    Refusal(name: "the same array twice", place: "gradients[1]") {
      () throws(PlanError) in
      try plan(requests: [GradientRequest(name: "outputs"), GradientRequest(name: "outputs")])
    },
    Refusal(name: "factors as a matrix", place: "gradients[0].layout") {
      () throws(PlanError) in
      try plan(requests: [
        GradientRequest(
          name: "state-jacobian", options: ["form": .text("factored"), "layout": .text("matrix")])
      ])
    },
    Refusal(name: "blocks of no steps", place: "block_steps") {
      () throws(PlanError) in try plan(strategy: .blocked, blockSteps: 0)
    },
    Refusal(name: "too little memory for anything", place: "memory") {
      () throws(PlanError) in try plan(memory: 1 << 20)
    },
    Refusal(name: "results beyond 2^56 bytes", place: "gradients[0]") {
      () throws(PlanError) in
      try plan(
        batch: 1 << 20, steps: 1 << 30,
        requests: [GradientRequest(name: "input-jacobian")])
    },
    Refusal(name: "inputs beyond 63 bits", place: "network") {
      () throws(PlanError) in try plan(batch: .max / 2, steps: .max / 2)
    },
  ]

  @Test(arguments: refusals) func `a job that cannot be computed is refused with its place`(
    _ refusal: Refusal
  ) throws {
    let error = #expect(throws: PlanError.self) { _ = try refusal.plan() }
    #expect(error?.place == refusal.place, "\(error.map { "\($0)" } ?? "")")
    #expect(error?.remedy != nil)
  }

  @Test func `a strategy that is forced is taken, and all are listed`() throws {
    for strategy in RecurrentStrategy.allCases {
      let plan = try RecurrentPlannerTests.plan(strategy: strategy)
      #expect(plan.chosen == strategy)
      #expect(plan.strategy.contains("as the job asks"))
      #expect(plan.candidates.map(\.strategy) == RecurrentStrategy.allCases)
    }
    let blocks = try RecurrentPlannerTests.plan(strategy: .blocked, blockSteps: 4)
    #expect(blocks.strategy.contains("blocks of 4 steps"))
    let outputs = try RecurrentPlannerTests.plan(requests: [GradientRequest(name: "outputs")])
    #expect(outputs.chosen == nil && outputs.candidates.isEmpty)
  }

  static func oneLayer(outer: Int, units: Int, outputs: Int) -> NetworkShape {
    NetworkShape(layers: [
      LayerShape(
        inputs: outer + units, outputs: outputs + units, hasBiases: true, activation: .tanh)
    ])
  }

  @Test func `short sequences go back, long ones in blocks, a last step back`() throws {
    let network = RecurrentPlannerTests.oneLayer(outer: 16, units: 64, outputs: 4)
    func chosen(_ steps: Int, _ option: String) throws -> RecurrentStrategy? {
      try RecurrentPlannerTests.plan(
        units: 64, batch: 1, steps: steps,
        requests: [
          GradientRequest(name: "parameter-jacobian", options: ["steps": .text(option)])
        ], network: network
      ).chosen
    }
    #expect(try chosen(20, "all") == .adjoint)
    #expect(try chosen(2000, "all") == .blocked)
    #expect(try chosen(2000, "last") == .adjoint)
  }

  @Test func `with little memory the cheapest that fits is taken and the reason told`() throws {
    let network = RecurrentPlannerTests.oneLayer(outer: 16, units: 200, outputs: 4)
    let plenty = try RecurrentPlannerTests.plan(
      units: 200, batch: 1, steps: 60, network: network)
    let memories = plenty.candidates.map(\.memory).sorted()
    let allFit = plenty.candidates.allSatisfy(\.fits)
    #expect(allFit)
    let limit = memories[0]
    let tight = try RecurrentPlannerTests.plan(
      units: 200, batch: 1, steps: 60, network: network, memory: limit)
    #expect(tight.peakMemory(threads: 1) <= limit)
    #expect(tight.candidates.contains { !$0.fits } || tight.chosen == plenty.chosen)
  }

  @Test func `peak memory grows with threads and holds the problem`() throws {
    let plan = try RecurrentPlannerTests.plan()
    #expect(plan.peakMemory(threads: 1) > plan.problemBytes)
    #expect(plan.peakMemory(threads: 4) > plan.peakMemory(threads: 1))
    #expect(plan.resultBytes == 2 * 10 * 4 * 77 * 8)
  }
}
