#!/usr/bin/env python3
"""Drives the real Python guirpc producer against whatever consumer serves EXCHANGE/ROUTING_KEY.

The consumer must serve foobar_sum (JSON) and foobar_count (text) as the original's fixtures do. Every call runs in a worker
process of the guirpc venv and has a deadline, so the suite cannot hang. Last line: 'N passed, N failed'; exit 1 on failure.

  --venv DIR                  venv with guirpc (PyPI 0.1 or HEAD)
  --strict                    also exact error texts and response properties, as Python sends them
  --extras                    consumer also serves echo_json, echo_text, raise_error (see py_server_app.py)
  --pickle                    consumer also serves echo_binary (pickle)
  --ext                       cases the Python consumer itself FAILS (they wedge it: use a throw-away queue)
  --skip-parallel         leave parallel_producers out: the Python HEAD consumer wedges under it (0.1 passes)
  --trace                     consumer hands the headers of a trace on, in foobar_onward, which the original does not
  --ext-client                client reconnect after close; the 0.1 client fails it, HEAD passes
"""
import argparse, base64, json, os, queue, subprocess, sys, tempfile, threading, time, traceback
from urllib.parse import quote


# ------------------------------------------------------------------ worker (runs inside the guirpc venv)
def worker():
    proto = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import pika
    from guirpc.amqp.decorators import faas_producer
    from guirpc.amqp.domain import ProxyRequest, ProxyResponse
    from guirpc.amqp.producer import Producer
    from guirpc.amqp.serializers import BinarySerializer, JsonSerializer, TextSerializer
    from guirpc.amqp.utils import ClientConnector, get_producer_config
    con = ClientConnector()
    sz = {"json": JsonSerializer, "text": TextSerializer, "binary": BinarySerializer}

    def call(c):
        f = faas_producer(con=con, faas_name=c["name"], req_sz=sz[c["sz"]])(lambda o: ProxyRequest(object_=o))
        r = f(c["obj"])
        return dict(is_response=isinstance(r, ProxyResponse), status=r.status_code, status_type=type(r.status_code).__name__, object=r.object,
                    error=r.error_message, is_error=r.is_error, is_success=r.is_success, content_type=r.content_type, encoding=r.encoding,
                    headers={k: str(v) for k, v in (r.message_headers or {}).items()})

    def many(c):
        lat, bad = [], []
        for i in range(c["n"]):
            t = time.perf_counter()
            r = call(dict(name="foobar_sum", sz="json", obj={"foo": c["base"], "bar": i}))
            lat.append(time.perf_counter() - t)
            if r["status"] != 200 or r["object"] != {"result": c["base"] + i}:
                bad.append([i, r["status"], r["object"], r["error"]])
        lat.sort()
        return dict(bad=bad[:5], n=len(lat), per_s=round(len(lat) / sum(lat), 1), p50_ms=round(lat[len(lat) // 2] * 1e3, 2), p99_ms=round(lat[int(len(lat) * .99)] * 1e3, 2))

    def producer(c):
        p = Producer(con.bck_con, con.config.amqp_entities)
        return dict(con=p.connection.is_open, ch=p.channel.is_open, number=p.channel.channel_number)

    def connector(c):
        con.reload()
        two = ClientConnector()
        same = con.is_initialized and two.is_initialized and con.config == two.config and con.bck_con == two.bck_con
        h = hash(con.config), hash(con.bck_con)
        con.reload()
        return dict(same=same, reload_required=con.is_reload_required, changed=(hash(con.config) != h[0], hash(con.bck_con) != h[1]),
                    fresh=ClientConnector.open_bck_con(get_producer_config().con_params.amqp_url).is_open)

    def reopen(c):
        from guirpc.fixtures.producer import client      # decorated at import: 0.1 checks the connection only then
        client.CONNECTOR.close_all_connections()
        closed = client.CONNECTOR.bck_con.is_closed
        r = client.foobar_count()
        return dict(closed=closed, status=r.status_code, open=client.CONNECTOR.bck_con.is_open)

    def raw(c):
        k = pika.BlockingConnection(pika.URLParameters(con.config.con_params.amqp_url))
        ch = k.channel()
        q = ch.queue_declare("", exclusive=True).method.queue
        got = []
        ch.basic_consume(q, lambda _c, _m, p, b: got.append((p, b)), auto_ack=True)
        kw = dict(content_type="application/json", content_encoding="ascii", delivery_mode=2, app_id="raw", correlation_id="raw-1", reply_to=q, headers={"FaaS-Name": "foobar_sum"})
        kw.update(c.get("props", {}))
        kw = {a: b for a, b in kw.items() if b is not None}
        for _ in range(c.get("times", 1)):
            ch.basic_publish(con.config.amqp_entities.exchange, con.config.amqp_entities.routing_key, base64.b64decode(c["body"]), pika.BasicProperties(**kw))
        end = time.time() + c.get("wait", 20)
        while not got and time.time() < end:
            k.process_data_events(time_limit=.05)
        k.close()
        if not got:
            return dict(reply=False)
        p, b = got[0]
        return dict(reply=True, status=(p.headers or {}).get("Response-Status"), serializer=(p.headers or {}).get("Response-Serializer"), content_type=p.content_type,
                    encoding=p.content_encoding, corr=p.correlation_id, app_id=p.app_id, delivery_mode=p.delivery_mode, body=b.decode("latin1"))
    ops = dict(call=call, many=many, producer=producer, connector=connector, reopen=reopen, raw=raw)
    print(json.dumps(dict(ready=True, pika=pika.__version__)), file=proto)
    for line in sys.stdin:
        c = json.loads(line)
        try:
            out = dict(ok=ops[c["op"]](c))
        except BaseException as e:
            out = dict(raised=type(e).__name__, text=str(e)[:300])
        print(json.dumps(out, default=repr), file=proto)


# ------------------------------------------------------------------ parent
class Timeout(Exception):
    pass


class Raised(Exception):
    pass


class Worker:
    def __init__(self, a, ini):
        env = dict(os.environ, PRODUCER_CONFIG=ini, PRODUCER_CONFIG_FILEPATH=ini, PYTHONUNBUFFERED="1")
        env.pop("AMQP_URI", None)
        self.p = subprocess.Popen([os.path.join(a.venv, "bin", "python"), os.path.abspath(__file__), "--worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL if not a.verbose else None, env=env, text=True)
        self.q = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.hello = self._get(20, "worker start")

    def _read(self):
        for line in self.p.stdout:
            self.q.put(json.loads(line))
        self.q.put(dict(raised="WorkerDied", text="worker exited"))

    def _get(self, t, what):
        try:
            return self.q.get(timeout=t)
        except queue.Empty:
            self.close()
            raise Timeout("no result of %s within %ss" % (what, t))

    def do(self, timeout, **c):
        self.p.stdin.write(json.dumps(c) + "\n")
        self.p.stdin.flush()
        r = self._get(timeout, c.get("name") or c["op"])
        if "raised" in r:
            raise Raised("%s: %s" % (r["raised"], r["text"]))
        return r["ok"]

    def close(self):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    A = ap.add_argument
    A("--venv", required=True)
    A("--host", default="127.0.0.1"); A("--port", type=int, default=5672); A("--vhost", default="/")
    A("--user", default="guest"); A("--password", default="guest")
    A("--exchange", default="rpc_gateway"); A("--routing-key", default="my_queue")
    A("--timeout", type=float, default=10, help="seconds per call"); A("--only", default="", help="substring of case names")
    A("--sequential", type=int, default=200); A("--parallel", type=int, default=4); A("--each", type=int, default=50, help="calls of each parallel producer")
    for f in ("--strict", "--extras", "--pickle", "--ext", "--ext-client", "--trace", "--skip-parallel", "--verbose"):
        A(f, action="store_true")
    a = ap.parse_args()
    d = tempfile.TemporaryDirectory(prefix="py_client_")
    u = lambda s: quote(s, safe="").replace("%", "%%")
    c = lambda s: s.replace("%", "%%")
    ini = os.path.join(d.name, "client.ini")
    with open(ini, "w") as f:   # '#' makes 0.1's fixed '/%2F' suffix an ignored URL fragment, so any vhost works
        f.write("[client]\nverbose_name = suite\nroot = unused\nproducer_application_id = py-suite\n[client.connection]\nhost = %s\nport = %d/%s#\nuser = %s\npassword = %s\n"
                "[client.amqp_entities]\nexchange = %s\nrouting_key = %s\n[client.options]\nresponse_consumer =\n"
                % (a.host, a.port, u(a.vhost), u(a.user), u(a.password), c(a.exchange), c(a.routing_key)))
    workers = []

    def new():
        w = Worker(a, ini); workers.append(w); return w
    state = {}

    def W():
        w = state.get("w")
        if w is None or w.p.poll() is not None:
            w = state["w"] = new()
        return w
    T = a.timeout
    js = lambda obj, name="foobar_sum": W().do(T, op="call", name=name, sz="json", obj=obj)
    tx = lambda obj, name="foobar_count", t=None: W().do(t or T, op="call", name=name, sz="text", obj=obj)
    b64 = lambda s: base64.b64encode(base64.encodebytes(s.encode() if isinstance(s, str) else s)).decode()
    OKB = b64('{"foo": 1, "bar": 2}')
    rw = lambda body=OKB, **k: W().do(T + k.get("wait", 20), op="raw", body=body, **k)
    cases = []

    def case(group):
        def deco(fn):
            cases.append((group, fn.__name__, fn)); return fn
        return deco

    def ok(r, obj=None):
        assert r["is_response"] and r["status"] == 200 and r["is_success"] and not r["is_error"], r
        assert obj is None or r["object"] == obj, r

    def err(r, status, text=None):
        assert r["is_response"] and r["is_error"] and not r["is_success"] and r["status"] == status, r
        assert r["error"] and r["object"] is None, r
        assert text is None or r["error"] == text, r
    B, S, X, P, E, EC, PAR, TR = "base", "strict", "extras", "pickle", "ext", "ext_client", "parallel", "trace"
    SV = "[ServerError] An unexpected error occurred while processing the request message: "

    @case(B)
    def producer_creation():
        r = new().do(T, op="producer"); assert r["con"] and r["ch"] and r["number"] == 1, r

    @case(B)
    def publish_default_sentence(): ok(tx("My name is foo and I love bars"), "2")

    @case(B)
    def sum_ok(): ok(js({"foo": 2, "bar": 3}), {"result": 5})

    @case(B)
    def sum_error_missing_bar(): err(js({"foo": 3}), 400)

    @case(B)
    def sum_error_missing_foo(): err(js({"bar": 3}), 400)

    @case(B)
    def sum_error_string(): err(js({"foo": "x", "bar": 1}), 400)

    @case(B)
    def sum_error_float(): err(js({"foo": 1, "bar": 1.5}), 400)

    @case(B)
    def sum_negative(): ok(js({"foo": -7, "bar": 3}), {"result": -4})

    @case(B)
    def sum_64bit(): ok(js({"foo": 2 ** 62, "bar": 2 ** 61}), {"result": 2 ** 62 + 2 ** 61})

    @case(B)
    def count_ok(): ok(tx("Hello foobar, foo bar foo bar foo bar, total foobar"), "10")

    @case(B)
    def count_case_insensitive(): ok(tx("FOO bAr FoO and more"), "3")

    @case(B)
    def count_error(): err(tx("foo hello"), 400)

    @case(B)
    def count_empty_text(): err(tx(""), 400)

    @case(B)
    def count_zero_is_not_an_error(): ok(tx("nothing to see here"), "0")

    @case(B)
    def text_serialization_error():
        try:
            tx("Bad sentence, it contains \u00f1 and cannot be encoded into ascii")
        except Raised as e:
            assert str(e).startswith("SerializationError"), e
        else:
            raise AssertionError("SerializationError expected")

    @case(B)
    def connector_creation_and_reload():
        r = new().do(T, op="connector"); assert r == dict(same=True, reload_required=False, changed=[True, True], fresh=True), r

    @case(B)
    def unknown_function_is_400_not_a_hang(): err(js({}, "no_such_function"), 400)

    @case(B)
    def exception_in_function_is_500(): err(js([1, 2]), 500)   # foobar_sum cannot unpack a list

    @case(B)
    def bad_json_is_500(): err(tx('{"foo": 1,', "foobar_sum"), 500)

    @case(B)
    def consumer_survives_errors(): ok(js({"foo": 1, "bar": 1}), {"result": 2})

    @case(B)
    def text_1mb(): ok(tx("foo bar " * 131072, t=T * 3), "262144")

    @case(B)
    def unicode_in_json(): ok(js({"foo": 1, "bar": 2, "\u00f1": "ni\u00f1o \u20ac \U0001f600 \u0000"}), {"result": 3})

    @case(B)
    def sequential_calls():
        n = a.sequential; r = W().do(T + n * .5, op="many", n=n, base=1000)
        print("     ", r); assert not r["bad"] and r["n"] == n, r

    @case(PAR)
    def parallel_producers():
        ws = [new() for _ in range(a.parallel)]; res = [None] * len(ws)

        def go(i):
            try: res[i] = ws[i].do(T + a.each * .5, op="many", n=a.each, base=(i + 1) * 10 ** 6)
            except Exception as e: res[i] = dict(bad=[repr(e)], n=0)
        ts = [threading.Thread(target=go, args=(i,)) for i in range(len(ws))]
        [t.start() for t in ts]; [t.join() for t in ts]
        print("     ", res); assert all(r["n"] == a.each and not r["bad"] for r in res), res

    @case(B)
    def raw_base64_without_newline():
        r = rw(base64.b64encode(base64.b64encode(b'{"foo": 1, "bar": 2}')).decode()); assert r["reply"] and r["status"] == 200, r

    @case(B)
    def raw_missing_faas_name(): r = rw(props=dict(headers={"X": "y"})); assert r["reply"] and r["status"] == 400, r

    @case(B)
    def raw_bad_base64(): r = rw(base64.b64encode(b"abcde").decode()); assert r["reply"] and r["status"] == 500, r

    @case(B)
    def raw_nonascii_body(): r = rw(b64('{"foo": 1, "bar": 2, "\u00f1": 1}')); assert r["reply"] and r["status"] == 500, r

    @case(B)
    def raw_correlation_id_echoed_or_absent():
        assert rw(props=dict(correlation_id="abc-123"))["corr"] == "abc-123"
        r = rw(props=dict(correlation_id=None)); assert r["reply"] and r["corr"] is None, r

    @case(B)
    def raw_content_type_ignored(): r = rw(props=dict(content_type="text/plain", content_encoding="utf-8")); assert r["status"] == 200, r

    @case(B)
    def raw_reply_to_dead_queue_does_not_harm():
        rw(props=dict(reply_to="no.such.queue"), wait=.5); ok(js({"foo": 1, "bar": 1}), {"result": 2})

    @case(S)
    def exact_error_texts():
        err(js({"foo": 3}), 400, "[ValidationError] 'bar' field is required.")
        err(js({"bar": 3}), 400, "[ValidationError] 'foo' field is required.")
        err(js({"foo": "x", "bar": 1}), 400, "[ValidationError] 'foo' field is not an integer.")
        err(js({"foo": 1, "bar": "x"}), 400, "[ValidationError] 'foo' is not an integer.")     # upstream's own wording for bar
        err(tx("foo hello"), 400, "[ValidationError] Invalid sentence: the minimun required length is 10.")
        err(js({}, "no_such_function"), 400, "[RequestError] FaaS with name 'no_such_function' is not registered")
        assert js([1, 2])["error"].startswith(SV + "'")

    @case(S)
    def exact_response_properties():
        r = js({"foo": 2, "bar": 3}); assert (r["content_type"], r["encoding"], r["status_type"], r["headers"]) == ("application/json", "ascii", "int", {"Response-Status": "200", "Response-Serializer": "JsonSerializer"}), r
        r = js({"foo": 2}); assert (r["content_type"], r["encoding"], r["headers"]) == ("text/plain", "ascii", {"Response-Status": "400", "Response-Serializer": "JsonSerializer"}), r
        r = js({}, "nope"); assert (r["content_type"], r["headers"]["Response-Serializer"]) == ("text/plain", "TextSerializer"), r
        r = js([1]); assert (r["content_type"], r["headers"]["Response-Serializer"]) == ("text/plain", "TextSerializer"), r
        r = tx("foo bar foo bar"); assert (r["content_type"], r["encoding"], r["headers"]["Response-Serializer"]) == ("text/plain", "ascii", "TextSerializer"), r

    @case(S)
    def exact_response_wire():
        r = rw(); assert r == dict(reply=True, status=200, serializer="JsonSerializer", content_type="application/json", encoding="ascii", corr="raw-1", app_id=None, delivery_mode=None, body="eyJyZXN1bHQiOiAzfQ==\n"), r

    @case(S)
    def base64_is_mime_wrapped_at_76():
        b = rw(props=dict(headers={"FaaS-Name": "x" * 60}))["body"]; assert b.endswith("\n") and max(map(len, b.split("\n"))) == 76, b

    @case(S)
    def bool_counts_as_integer(): ok(js({"foo": True, "bar": 1}), {"result": 2})

    @case(S)
    def big_integers(): ok(js({"foo": 2 ** 70, "bar": 1}), {"result": 2 ** 70 + 1})

    @case(X)
    def echo_json_unicode():
        o = {"k\u00f1": "ni\u00f1o \u20ac \U0001f600", "l": [1, 2.5, None, True, {"a": "b"}], "e": {}, "z": 0}; ok(js(o, "echo_json"), o)

    @case(X)
    def echo_json_scalars():
        for o in (0, "s", [], False, 1.5): r = js(o, "echo_json"); assert r["status"] == 200 and r["object"] == o, r

    @case(X)
    def echo_text_1mb(): ok(tx("x" * 2 ** 20, "echo_text", T * 3), "x" * 2 ** 20)

    @case(X)
    def raise_error_is_500():
        r = js({}, "raise_error"); err(r, 500); assert r["error"].startswith("[ServerError]") and "boom" in r["error"], r

    @case(P)
    def binary_round_trip():
        for o in (None, 42, "ni\u00f1o", [1, 2, {"a": None}], 1.5):
            r = W().do(T, op="call", name="echo_binary", sz="binary", obj=o); assert r["status"] == 200 and r["object"] == o and r["content_type"] is None, r

    @case(E)
    def missing_headers_gets_error_reply(): r = rw(props=dict(headers=None)); assert r["reply"] and str(r["status"])[:1] in "45", r

    @case(E)
    def nonascii_function_name_gets_error_reply(): r = rw(props=dict(headers={"FaaS-Name": "ni\u00f1o"})); assert r["reply"] and r["status"] == 400, r

    @case(E)
    def eight_requests_without_reply_to_do_not_wedge():
        rw(props=dict(reply_to=None), times=8, wait=1); ok(js({"foo": 1, "bar": 1}), {"result": 2})

    @case(EC)
    def client_reopens_closed_connection():
        r = new().do(T, op="reopen"); assert r == dict(closed=True, status=200, open=True), r

    @case(TR)
    def a_trace_goes_on():
        sent = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "vendor=1", "baggage": "user=ada"}
        r = rw(b64("{}"), props=dict(headers=dict(sent, **{"FaaS-Name": "foobar_onward"})))
        assert r["status"] == 200 and json.loads(base64.b64decode(r["body"])) == sent, r
    on = {B: True, S: a.strict, X: a.extras, P: a.pickle, E: a.ext, EC: a.ext_client, PAR: not a.skip_parallel, TR: a.trace}
    npass = nfail = 0
    try:
        try:
            print("client: pika", W().hello.get("pika"), "venv", a.venv, flush=True)
            for g, name, fn in cases:
                if not on[g] or a.only not in name:
                    continue
                t = time.time()
                try:
                    fn(); npass += 1; print("PASS %-8s %s (%.2fs)" % (g, name, time.time() - t), flush=True)
                except Exception as e:
                    nfail += 1
                    print("FAIL %-8s %s (%.2fs): %s" % (g, name, time.time() - t, (str(e) or repr(e))[:600]), flush=True)
                    if a.verbose: traceback.print_exc()
                    if isinstance(e, (Timeout, Raised)) and state.get("w"): state.pop("w").close()   # a spinning or broken client is useless
        except Exception as e:
            nfail += 1; print("FAIL suite:", repr(e))
    finally:
        for w in workers: w.close()
        d.cleanup()
    print("%d passed, %d failed" % (npass, nfail))
    return 1 if nfail or not npass else 0


if __name__ == "__main__":
    sys.exit(worker() if sys.argv[1:2] == ["--worker"] else main())
