// ProcessingTests
