"""What py_server.sh serves: the original's two fixture functions, and some more."""
import time
from guirpc.amqp.decorators import register_faas
from guirpc.amqp.domain import ProxyResponse
from guirpc.amqp.serializers import BinarySerializer, JsonSerializer, TextSerializer
from guirpc.fixtures.consumer.server import foobar_count, foobar_sum  # noqa: F401  (imported names are registered too)


@register_faas(req_sz=JsonSerializer, resp_sz=JsonSerializer)
def echo_json(request):
    return ProxyResponse(200, object_=request.object)


@register_faas(req_sz=TextSerializer, resp_sz=TextSerializer)
def echo_text(request):
    return ProxyResponse(200, object_=request.object)


@register_faas(req_sz=BinarySerializer, resp_sz=BinarySerializer)
def echo_binary(request):
    return ProxyResponse(200, object_=request.object)


@register_faas(req_sz=JsonSerializer, resp_sz=JsonSerializer)
def raise_error(request):
    raise ValueError("boom")


@register_faas(req_sz=TextSerializer, resp_sz=TextSerializer)
def sleep_text(request):
    time.sleep(float(request.object))
    return ProxyResponse(200, object_="slept")
