"""Generates the ticks of some made-up shares over plain HTTP: python exchange.py http://HOST:PORT/"""
import http.client, json, random, sys, time, urllib.error, urllib.request

PRICES = {"ALDER": 84.2, "BIRCH": 31.75, "CEDAR": 210.4, "ELM": 12.06, "FIR": 55.5, "HAZEL": 142.9,
          "LARCH": 7.31, "MAPLE": 96.0, "OAK": 318.2, "PINE": 24.48, "ROWAN": 67.15, "YEW": 178.6}

def post(path, body):
    """Until it is answered."""
    request = urllib.request.Request(sys.argv[1] + path, json.dumps(body).encode(),
                                     {"content-type": "application/json"})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                sys.exit(error.read().decode())
        except (OSError, http.client.HTTPException):
            pass  # The hub restarts, say.
        time.sleep(0.2)

producer = post("v1/call/millrace.v1.EventHubService/OpenProducer", {})
session = producer["producerId"]  # Each run of this program is a trading session of its own.
numbers = dict.fromkeys(PRICES, 0)
sequence = 0
while True:
    records = []
    for symbol in random.sample([*PRICES], 6):
        PRICES[symbol] = max(0.01, round(PRICES[symbol] * random.gauss(1, 0.002), 2))
        numbers[symbol] += 1  # So that a reader can see that it has every tick, and each once.
        tick = {"price": PRICES[symbol], "number": numbers[symbol], "session": session}
        records.append({"key": symbol, "json": tick})
    sequence += 1  # With it a repetition is stored once.
    post("v1/topics/ticks/records", {"records": records, "durability": "DURABILITY_BUFFERED", "sequence": {
        "producerId": producer["producerId"], "epoch": producer["epoch"], "sequence": sequence}})
    time.sleep(0.1)
