import Testing

@testable import nnjobs

@Suite struct MountTableTests {
  static let table = MountTable(
    mountinfo: #"""
      21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
      35 21 0:30 / /tmp rw - tmpfs tmpfs rw
      36 21 8:17 / /srv/my\040jobs rw shared:7 master:1 - xfs /dev/sdb1 rw
      37 36 8:17 /in /srv/my\040jobs/in rw - xfs /dev/sdb1 rw
      40 21 0:40 / /tmp rw - ramfs none rw
      nonsense
      """#)

  @Test(arguments: [
    ("/", 21, "ext4"), ("/etc/passwd", 21, "ext4"), ("/tmp", 40, "ramfs"),
    ("/tmp/a/b", 40, "ramfs"), ("/tmpx", 21, "ext4"), ("/srv", 21, "ext4"),
    ("/srv/my jobs", 36, "xfs"), ("/srv/my jobs/in", 37, "xfs"), ("/srv/my jobs/inbox", 36, "xfs"),
  ])
  func `a path is on the last mount that is nearest above it`(
    _ path: String, _ id: Int, _ type: String
  ) {
    let mount = MountTableTests.table.mount(ofReal: path)
    #expect(mount?.id == id && mount?.type == type)
  }

  @Test func `this process sees its root`() {
    #expect(MountTable.ofThisProcess.mount(of: "/")?.point == "/")
    #expect(MountTable.ofThisProcess.mount(of: "/no/such/file") == nil)
    #expect(MountTable(mountinfo: "").mount(ofReal: "/") == nil)
  }
}
