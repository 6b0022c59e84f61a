import Processing
import Testing

@Suite struct ReservationTests {
  private let machine = MachineLimits(cores: 4, memory: 100)

  @Test func `promises add up and are given back`() throws {
    var reservation = Reservation(of: machine)
    // 1. what is asked for is granted; 2. memory that is not left is refused;
    // 3. fewer cores than wanted are granted; 4. but at least one.
    let first = reservation.take(cores: 3, memory: 60)
    let tooLarge = reservation.take(cores: 1, memory: 41)
    let second = reservation.take(cores: 4, memory: 40)
    let coreless = reservation.take(cores: 1, memory: 0)
    #expect(first?.cores == 3 && first?.memory == 60, "1")
    #expect(tooLarge == nil, "2")
    #expect(second?.cores == 1, "3")
    #expect(coreless == nil, "4")
    reservation.giveBack(try #require(first))
    reservation.giveBack(try #require(second))
    #expect(reservation.cores == 0 && reservation.memory == 0)
  }

  @Test func `a job larger than the budget runs alone`() throws {
    var reservation = Reservation(of: machine)
    let small = reservation.take(cores: 1, memory: 1)
    let besideSmall = reservation.take(cores: 1, memory: 1000)
    reservation.giveBack(try #require(small))
    let alone = reservation.take(cores: 1, memory: 1000)
    let besideLarge = reservation.take(cores: 1, memory: 1)
    #expect(besideSmall == nil)
    #expect(alone != nil)
    #expect(besideLarge == nil)
  }
}
