import Testing

/// The tests that start real programs on real folders; one after the other, since each wants the machine.
@Suite(.serialized) enum EndToEnd {}
