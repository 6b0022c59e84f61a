import Processing
import Testing

@Suite struct ReservationTests {
  private let machine = MachineLimits(cores: 4, memory: 100)

  @Test func `promises add up and are given back`() throws {
    var reservation = Reservation(of: machine)
    let first = try #require(reservation.take(cores: 3, memory: 60))
    #expect(first == Reservation.Share(cores: 3, memory: 60))
    // 1. memory that is not left is refused; 2. fewer cores than wanted are granted.
    #expect(reservation.take(cores: 1, memory: 41) == nil)
    let second = try #require(reservation.take(cores: 4, memory: 40))
    #expect(second.cores == 1)
    #expect(reservation.take(cores: 1, memory: 0) == nil, "no core is left")
    reservation.giveBack(first)
    reservation.giveBack(second)
    #expect(reservation.cores == 0 && reservation.memory == 0)
  }

  @Test func `a job larger than the budget runs alone`() throws {
    var reservation = Reservation(of: machine)
    let small = try #require(reservation.take(cores: 1, memory: 1))
    #expect(reservation.take(cores: 1, memory: 1000) == nil)
    reservation.giveBack(small)
    #expect(reservation.take(cores: 1, memory: 1000) != nil)
    #expect(reservation.take(cores: 1, memory: 1) == nil)
  }
}
