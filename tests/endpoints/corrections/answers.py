"""Answers to what moto does not know."""

from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.ec2.exceptions import DryRunClientError
from moto.ec2.responses import EC2Response


class _Unknown(ServiceException):
    """Defined here, for moto looks up an error's service by the module of its class."""


def unknown_things_are_errors_of_the_protocol() -> None:
    """moto answers what it lacks (an action, a filter) with a page of HTML, status 500, which an SDK retries and then
    reports as unparsable. AWS answers InvalidAction or InvalidParameterValue, status 400, in the protocol.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    dispatch = BaseResponse._dispatch

    def _dispatch(self, *args, **kwargs):
        try:
            return dispatch(self, *args, **kwargs)
        except (NotImplementedError, OperationNotFoundError) as missing:
            code = "InvalidParameterValue" if "filter" in str(missing).lower() else "InvalidAction"
            message = f"Not implemented by the emulator: {missing}"
            return self.serialized(ActionResult(_Unknown(code, message)))

    BaseResponse._dispatch = _dispatch


def a_dry_run_changes_nothing() -> None:
    """moto looks at DryRun in some actions of EC2's and carries the others out. AWS carries out none: where the caller is
    allowed, the answer is the error DryRunOperation.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
    """
    call = EC2Response.call_action

    def call_action(self):
        if str(self.querystring.get("DryRun", ["false"])[0]).lower() == "true":
            return self.serialized(ActionResult(DryRunClientError()))
        return call(self)

    EC2Response.call_action = call_action


CORRECTIONS = (unknown_things_are_errors_of_the_protocol, a_dry_run_changes_nothing)
