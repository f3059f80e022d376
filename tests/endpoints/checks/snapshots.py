"""Checks of snapshots and their locks."""

from .common import REGION, Corrected


class SnapshotChecks(Corrected):
    def snapshot(self):
        volume = self.ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")["VolumeId"]
        return self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

    def locks(self, *snapshots, **kwargs):
        return self.ec2.describe_locked_snapshots(SnapshotIds=list(snapshots), **kwargs)["Snapshots"]

    def test_governance(self):
        snapshot = self.snapshot()
        self.assertEqual(self.locks(snapshot), [])
        lock = self.ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=7)
        self.assertEqual((lock["SnapshotId"], lock["LockState"], lock["LockDuration"]), (snapshot, "governance", 7))
        self.assertEqual((lock["LockExpiresOn"] - lock["LockCreatedOn"]).days, 7)
        [shown] = self.locks(snapshot)
        self.assertEqual(shown.pop("OwnerId"), "123456789012")
        del lock["ResponseMetadata"]
        self.assertEqual(shown, lock)
        self.refused("SnapshotLocked", self.ec2.delete_snapshot, SnapshotId=snapshot)
        self.assertEqual(self.ec2.unlock_snapshot(SnapshotId=snapshot)["SnapshotId"], snapshot)
        self.assertEqual(self.locks(snapshot), [])
        self.ec2.delete_snapshot(SnapshotId=snapshot)

    def test_compliance(self):
        snapshot, other = self.snapshot(), self.snapshot()
        arguments = {"SnapshotId": snapshot, "LockMode": "compliance"}
        lock = self.ec2.lock_snapshot(LockDuration=30, CoolOffPeriod=2, **arguments)
        self.assertEqual((lock["LockState"], lock["CoolOffPeriod"]), ("compliance-cooloff", 2))
        self.assertEqual((lock["CoolOffPeriodExpiresOn"] - lock["LockCreatedOn"]).seconds, 7200)
        self.ec2.unlock_snapshot(SnapshotId=snapshot)
        lock = self.ec2.lock_snapshot(LockDuration=30, **arguments)
        self.assertEqual(lock["LockState"], "compliance")
        self.assertNotIn("CoolOffPeriod", lock)
        self.refused("SnapshotLocked", self.ec2.unlock_snapshot, SnapshotId=snapshot)
        self.refused("SnapshotLocked", self.ec2.lock_snapshot, LockDuration=29, **arguments)
        self.assertEqual(self.ec2.lock_snapshot(LockDuration=31, **arguments)["LockDuration"], 31)
        self.ec2.lock_snapshot(SnapshotId=other, LockMode="governance", ExpirationDate="2099-01-01T00:00:00Z")
        self.assertEqual(len(self.locks()), 2)
        [only] = self.locks(Filters=[{"Name": "lock-state", "Values": ["governance"]}])
        self.assertEqual((only["SnapshotId"], only["LockExpiresOn"].year), (other, 2099))

    def test_refused_locks(self):
        snapshot = {"SnapshotId": self.snapshot()}
        lock = self.ec2.lock_snapshot
        self.refused("InvalidParameterValue", lock, LockMode="governance", LockDuration=36501, **snapshot)
        self.refused("InvalidParameterValue", lock, LockMode="governance", LockDuration=1, CoolOffPeriod=1, **snapshot)
        self.refused("InvalidParameterCombination", lock, LockMode="governance", **snapshot)
        unknown = "snap-0123456789abcdef0"
        self.refused("InvalidSnapshot.NotFound", lock, SnapshotId=unknown, LockMode="governance", LockDuration=1)
        self.refused("InvalidSnapshot.NotFound", self.locks, unknown)

    def test_snapshots_of_an_instance(self):
        mappings = [{"DeviceName": device, "Ebs": {"VolumeSize": 8}} for device in ("/dev/sda1", "/dev/sdf")]
        volume_tags = [{"ResourceType": "volume", "Tags": [{"Key": "from", "Value": "volume"}]}]
        [instance] = self.run_instances(BlockDeviceMappings=mappings, TagSpecifications=volume_tags)
        later = self.ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")["VolumeId"]
        self.ec2.attach_volume(VolumeId=later, InstanceId=instance, Device="/dev/sdg")
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "case", "Value": "one"}]}]
        made = self.ec2.create_snapshots(
            InstanceSpecification={"InstanceId": instance}, TagSpecifications=tags, CopyTagsFromSource="volume"
        )["Snapshots"]
        volumes = [mapping["Ebs"]["VolumeId"] for mapping in self.instance(instance)["BlockDeviceMappings"]]
        self.assertEqual(len(volumes), 3)
        self.assertEqual(sorted(snapshot["VolumeId"] for snapshot in made), sorted(volumes))
        for snapshot in made:
            self.assertIn({"Key": "case", "Value": "one"}, snapshot["Tags"])
            self.assertEqual(snapshot["State"], "completed")
        for name, count in (("tag:case", 3), ("tag:from", 2), ("tag:other", 0)):
            wanted = [{"Name": name, "Values": ["one", "volume"]}]
            self.assertEqual(len(self.ec2.describe_snapshots(Filters=wanted)["Snapshots"]), count)
