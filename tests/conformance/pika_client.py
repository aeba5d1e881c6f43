"""Cases for pika, a client that nobody here wrote; each prints a line for all that it sees.

    pika_client.py --list
    pika_client.py CASE URI
"""

import sys

import pika
from pika.exceptions import AMQPError

LONG = 30
CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


def connect(uri):
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    connection.call_later(LONG, give_up)
    return connection, connection.channel()


def give_up():
    raise TimeoutError(f"nothing came within {LONG} s")


def show(how, method, properties, body):
    again = ", again" if getattr(method, "redelivered", False) else ""
    tag = f" with tag {method.delivery_tag}" if hasattr(method, "delivery_tag") else ""
    print(f"{how} {body.decode()}{tag}{again}")


def attempt(what, function):
    try:
        function()
        print(f"{what}: done")
    except AMQPError as error:
        print(f"{what}: {type(error).__name__} {error}")


def get(channel, queue):
    method, properties, body = channel.basic_get(queue)
    if method is None:
        print("nothing waits")
    else:
        show("fetched", method, properties, body)
    return method, properties, body


def deliveries(channel, queue, count, **options):
    """Gives that many messages, as they come, then cancels the consumer."""
    for method, properties, body in channel.consume(queue, **options):
        if method is None:
            return
        show("delivered", method, properties, body)
        yield method, properties, body
        count -= 1
        if count == 0:
            break
    channel.cancel()


@case
def declare(uri):
    connection, channel = connect(uri)
    channel.exchange_declare("e", "topic", durable=True)
    frame = channel.queue_declare("q", durable=True)
    print(f"queue {frame.method.queue} with {frame.method.message_count} messages")
    channel.queue_bind("q", "e", "a.#")
    attempt("declare it differently", lambda: channel.queue_declare("q"))
    connection.close()


@case
def wrong_password(uri):
    attempt("connect", lambda: connect(uri.replace("guest:guest", "guest:wrong")))


@case
def unknown_vhost(uri):
    attempt("connect", lambda: connect(uri.rsplit("/", 1)[0] + "/nowhere"))


@case
def confirm(uri):
    connection, channel = connect(uri)
    channel.queue_declare("q")
    channel.confirm_delivery()
    attempt("publish", lambda: channel.basic_publish("", "q", b"one"))
    get(channel, "q")
    connection.close()


@case
def mandatory(uri):
    connection, channel = connect(uri)
    channel.confirm_delivery()
    attempt("publish", lambda: channel.basic_publish("", "nowhere", b"one", mandatory=True))
    connection.close()


@case
def refused(uri):
    connection, channel = connect(uri)
    channel.queue_declare("q", arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    channel.confirm_delivery()
    attempt("publish one", lambda: channel.basic_publish("", "q", b"one"))
    attempt("publish two", lambda: channel.basic_publish("", "q", b"two"))
    connection.close()


@case
def ack(uri):
    connection, channel = connect(uri)
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"one")
    channel.basic_publish("", "q", b"two")
    for method, _, body in deliveries(channel, "q", 2):
        if body == b"two":
            channel.basic_ack(method.delivery_tag, multiple=True)
    get(channel, "q")
    connection.close()


@case
def nack_requeue(uri):
    connection, channel = connect(uri)
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"one")
    for method, _, _ in deliveries(channel, "q", 2):
        channel.basic_nack(method.delivery_tag, requeue=not method.redelivered)
    get(channel, "q")
    connection.close()


@case
def dead_letter(uri):
    connection, channel = connect(uri)
    channel.queue_declare("dead")
    channel.queue_declare("q", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    channel.basic_publish("", "q", b"one", pika.BasicProperties(headers={"a": 1}))
    method, _, _ = get(channel, "q")
    channel.basic_reject(method.delivery_tag, requeue=False)
    for _, properties, _ in deliveries(channel, "dead", 1, auto_ack=True):
        print(f"with the headers {', '.join(sorted(properties.headers))}")
        death = properties.headers["x-death"][0]
        print(f"that died {death['count']} time in {death['queue']}: {death['reason']}")
    connection.close()


@case
def qos(uri):
    connection, channel = connect(uri)
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"one")
    channel.basic_publish("", "q", b"two")
    channel.basic_qos(prefetch_count=1)
    for method, _, _ in deliveries(channel, "q", 2):
        print(f"{channel.get_waiting_message_count()} more are here")
        channel.basic_ack(method.delivery_tag)
    connection.close()


@case
def reply_to(uri):
    connection, channel = connect(uri)
    other, server = connect(uri)
    channel.queue_declare("q")
    replies = []
    channel.basic_consume("amq.rabbitmq.reply-to", lambda *reply: replies.append(reply), auto_ack=True)
    properties = pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id="7")
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"request", properties)
    _, properties, _ = get(server, "q")
    print(f"reply to {properties.reply_to}")
    reply = pika.BasicProperties(correlation_id=properties.correlation_id)
    server.basic_publish("", properties.reply_to, b"reply", reply)
    while not replies:
        connection.process_data_events(time_limit=None)
    _, method, properties, body = replies[0]
    show("delivered", method, properties, body)
    print(f"with the correlation id {properties.correlation_id}")
    other.close()
    connection.close()


@case
def cancelled_by_the_broker(uri):
    connection, channel = connect(uri)
    other, operator = connect(uri)
    channel.queue_declare("q")
    cancelled = []
    channel.add_on_cancel_callback(cancelled.append)
    channel.basic_consume("q", lambda *_: None, consumer_tag="c")
    operator.queue_delete("q")
    while not cancelled:
        connection.process_data_events(time_limit=None)
    print(f"cancelled: {cancelled[0].method.consumer_tag}")
    other.close()
    connection.close()


@case
def exclusive(uri):
    connection, channel = connect(uri)
    other, stranger = connect(uri)
    channel.queue_declare("q", exclusive=True)
    attempt("another connection declares it", lambda: stranger.queue_declare("q", passive=True))
    other.close()
    connection.close()


@case
def invalid_tag(uri):
    connection, channel = connect(uri)
    channel.basic_ack(7)
    attempt("acknowledge what was not delivered", lambda: channel.basic_qos(prefetch_count=1))
    channel = connection.channel()
    attempt("go on with another channel", lambda: channel.basic_qos(prefetch_count=1))
    connection.close()


@case
def not_implemented(uri):
    connection, channel = connect(uri)
    attempt("limit the prefetch in bytes", lambda: channel.basic_qos(prefetch_size=1000))
    print("the connection is", "open" if connection.is_open else "closed")


@case
def large_body(uri):
    connection, channel = connect(uri)
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"x" * 300_000)
    _, _, body = channel.basic_get("q")
    print(f"fetched {len(body)} bytes")
    connection.close()


@case
def properties(uri):
    connection, channel = connect(uri)
    channel.queue_declare("q")
    headers = {"text": "ä", "number": -5, "long": 2**40, "true": True, "list": [1, "x"], "none": None, "table": {"a": 1}}
    sent = pika.BasicProperties(headers=headers, content_type="text/plain", delivery_mode=2, type="t", timestamp=15)
    channel.basic_publish("", "q", b"one", sent)
    _, got, _ = get(channel, "q")
    print("the same" if got == sent else f"sent {sent}, got {got}")
    print(sorted(got.headers.items()))
    connection.close()


if __name__ == "__main__":
    name, *uri = sys.argv[1:]
    if name == "--list":
        print("\n".join(sorted(CASES)))
    else:
        CASES[name](*uri)
