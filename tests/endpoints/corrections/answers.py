"""Answers to what moto does not know."""

from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse


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


CORRECTIONS = (unknown_things_are_errors_of_the_protocol,)
