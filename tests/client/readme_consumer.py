# Every alert, in order, also those from while this program was away: FETCH, do the work, ACK.
import json, os, zmq  # apt install python3-zmq

broker = zmq.Context().socket(zmq.REQ)
broker.setsockopt(zmq.RCVTIMEO, 40_000)  # no broker: an exception; start it again, nothing is lost
broker.connect(os.environ["TOCSIN_FETCH"])  # ipc:///run/tocsin/fetch.sock

def ask(command, **header):
    broker.send_multipart([b"T1", command, json.dumps(header).encode()])
    _, reply, answer, *events = broker.recv_multipart()
    return json.loads(answer), events

while True:  # "cursor": behind what the name "desk" has acknowledged; waits up to 30 s for more
    batch, events = ask(b"FETCH", consumer="desk", after="cursor", filters=["china-ai/"], wait_ms=30_000, allow_gap=True)
    for event in events:
        print(json.loads(event)["data"]["article"]["title"], flush=True)  # your work
    ask(b"ACK", consumer="desk", seq=batch["next_after"])
