"""Snapshots and their locks."""

from datetime import timedelta

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.responses import EC2Response
from moto.ec2.responses.elastic_block_store import ElasticBlockStore


def snapshots_can_copy_volume_tags() -> None:
    """moto ignores CopyTagsFromSource in CreateSnapshots. AWS copies each volume's tags to its snapshot.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html
    """
    create = ElasticBlockStore.create_snapshots

    def create_snapshots(self):
        answer = create(self)
        if self._get_param("CopyTagsFromSource") == "volume":
            for snapshot in answer.result["Snapshots"]:
                own = {tag["key"] for tag in snapshot.get_tags()}
                source = {tag["key"]: tag["value"] for tag in snapshot.volume.get_tags()}
                wanted = {key: value for key, value in source.items() if key not in own and not key.startswith("aws:")}
                snapshot.add_tags(wanted)
        return answer

    ElasticBlockStore.create_snapshots = create_snapshots


def new_snapshots_show_their_state() -> None:
    """moto leaves the state out of CreateSnapshots' answer. AWS gives it for each snapshot.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SnapshotInfo.html
    """
    Snapshot.state = property(lambda self: self.status)


def _lock_of(snapshot) -> dict | None:
    """A snapshot's lock as it stands now: cool-off and expiry are only a matter of time."""
    lock = getattr(snapshot, "lock", None)
    if lock is None:
        return None
    now, state = utcnow(), lock["LockMode"]
    if now >= lock["LockExpiresOn"]:
        state = "expired"
    elif lock.get("CoolOffPeriodExpiresOn") and now < lock["CoolOffPeriodExpiresOn"]:
        state = "compliance-cooloff"
    return {**lock, "LockState": state, "SnapshotId": snapshot.id, "OwnerId": snapshot.owner_id}


def _new_lock(params: dict, current: dict | None) -> dict:
    """The lock that a LockSnapshot request asks for, or the error that refuses it."""
    mode, days, hours = params.get("LockMode"), params.get("LockDuration"), params.get("CoolOffPeriod")
    until = params.get("ExpirationDate")
    if mode not in ("governance", "compliance"):
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{mode}' for LockMode")
    if (days is None) == (until is None):
        raise EC2ClientError("InvalidParameterCombination", "Specify either LockDuration or ExpirationDate")
    if days is not None and not 1 <= int(days) <= 36500:
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{days}' for LockDuration")
    if hours is not None and (mode == "governance" or not 1 <= int(hours) <= 72):
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{hours}' for CoolOffPeriod")
    now = utcnow()
    if until is not None:
        until = until.replace(tzinfo=None) if hasattr(until, "tzinfo") else _parse_time(until)
    expires = until or now + timedelta(days=int(days))
    lock = {
        "LockMode": mode,
        "LockDuration": int(days) if days is not None else max(1, (expires - now).days),
        "LockCreatedOn": now,
        "LockDurationStartTime": now,
        "LockExpiresOn": expires,
    }
    if hours is not None:
        lock |= {"CoolOffPeriod": int(hours), "CoolOffPeriodExpiresOn": now + timedelta(hours=int(hours))}
    if current and current["LockState"] == "compliance":
        if mode != "compliance" or hours is not None or expires < current["LockExpiresOn"]:
            raise EC2ClientError("SnapshotLocked", "The lock can only be extended: it is in compliance mode.")
    return lock


def _parse_time(text):
    from dateutil import parser  # a dependency of botocore

    return parser.parse(str(text)).replace(tzinfo=None)


def snapshots_can_be_locked() -> None:
    """moto has no LockSnapshot, UnlockSnapshot and DescribeLockedSnapshots, and would delete a locked snapshot.
    The pages give the requests, answers and states; they give no error codes, so those here are not AWS's word.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LockSnapshot.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnlockSnapshot.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLockedSnapshots.html
    """
    delete = EBSBackend.delete_snapshot

    def lock_snapshot(self):
        snapshot = self.ec2_backend.get_snapshot(self._get_param("SnapshotId"))
        self.error_on_dryrun()
        snapshot.lock = _new_lock(self._get_params(), _lock_of(snapshot))
        return ActionResult(_lock_of(snapshot))

    def unlock_snapshot(self):
        snapshot = self.ec2_backend.get_snapshot(self._get_param("SnapshotId"))
        self.error_on_dryrun()
        lock = _lock_of(snapshot)
        if lock is None or lock["LockState"] == "expired":
            raise EC2ClientError("IncorrectState", f"The snapshot {snapshot.id} is not locked.")
        if lock["LockState"] == "compliance":
            raise EC2ClientError("SnapshotLocked", f"The snapshot {snapshot.id} is locked in compliance mode.")
        snapshot.lock = None
        return ActionResult({"SnapshotId": snapshot.id})

    def describe_locked_snapshots(self):
        self.error_on_dryrun()
        snapshots = self.ec2_backend.describe_snapshots(self._get_param("SnapshotIds", []))
        locks = [lock for lock in map(_lock_of, snapshots) if lock]
        states = self._filters_from_querystring().get("lock-state")
        if states:
            locks = [lock for lock in locks if lock["LockState"] in states]
        start = int(self._get_param("NextToken") or 0)
        end = start + int(self._get_param("MaxResults") or 1000)
        return ActionResult({"Snapshots": locks[start:end], "NextToken": str(end) if end < len(locks) else None})

    def delete_snapshot(self, snapshot_id):
        lock = _lock_of(self.snapshots.get(snapshot_id))
        if lock and lock["LockState"] != "expired":
            raise EC2ClientError("SnapshotLocked", f"The snapshot {snapshot_id} is locked and cannot be deleted.")
        return delete(self, snapshot_id)

    EC2Response.lock_snapshot = lock_snapshot
    EC2Response.unlock_snapshot = unlock_snapshot
    EC2Response.describe_locked_snapshots = describe_locked_snapshots
    EBSBackend.delete_snapshot = delete_snapshot


CORRECTIONS = (
    snapshots_can_copy_volume_tags,
    new_snapshots_show_their_state,
    snapshots_can_be_locked,
)
