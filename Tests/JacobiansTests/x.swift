// JacobiansTests
