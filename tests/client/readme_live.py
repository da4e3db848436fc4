# Alerts as they come, with nothing but ZeroMQ. The live feed is a hint: see readme_consumer.py.
import json, os, zmq  # apt install python3-zmq

live = zmq.Context().socket(zmq.SUB)
live.setsockopt(zmq.TCP_KEEPALIVE, 1)  # over TCP, a peer that died without a word is noticed
live.setsockopt(zmq.TCP_KEEPALIVE_IDLE, 10)
live.connect(os.environ["TOCSIN_LIVE"])  # ipc:///run/tocsin/live.sock
live.subscribe("china-ai/")  # this topic and all below it
while True:
    topic, event = live.recv_multipart()
    alert = json.loads(event)
    print(alert["sequence"], alert["data"]["article"]["title"], flush=True)
