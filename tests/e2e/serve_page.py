"""Uses the page of `kindred serve` in headless Chromium as a person does, by chromedriver's WebDriver.

serve_page.py CHROMEDRIVER CHROMIUM ADDRESS PICTURE TEXT_FILE IMAGES [SCREENSHOTS]

PICTURE is an image of the gallery, TEXT_FILE no image, IMAGES how many the gallery has.
"""
import base64
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

driver_file, chromium, address, picture, text_file = sys.argv[1:6]
images = int(sys.argv[6])
screenshots = sys.argv[7] if len(sys.argv) > 7 else None
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def call(method, path, body=None):
    request = urllib.request.Request(base + path, method=method, headers={"Content-Type": "application/json"},
                                     data=None if method == "GET" else json.dumps(body or {}).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {error.read().decode()[:2000]}") from None


def script(text, *arguments):
    return call("POST", "/execute/sync", {"script": text, "args": list(arguments)})


def find(selector):
    return call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]


def click(selector):
    call("POST", f"/element/{find(selector)}/click")


def keys(selector, text):
    call("POST", f"/element/{find(selector)}/value", {"text": text})


def text_of(selector):
    return call("GET", f"/element/{find(selector)}/text")


def until(what, condition):
    end = time.time() + 15
    while time.time() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    shoot("failed")
    raise SystemExit(f"this never came to be: {what}; status: {text_of('#status')!r}")


def shoot(name):
    if screenshots:
        with open(os.path.join(screenshots, name + ".png"), "wb") as file:
            file.write(base64.b64decode(call("GET", "/screenshot")))


def check(what, holds):
    if not holds:
        shoot("failed")
        raise SystemExit(f"not so: {what}; status: {text_of('#status')!r}")


def shown():
    return script("return [...document.querySelectorAll('.match')].map((match) => ({"
                  "id: match.querySelector('.id').textContent, facts: match.querySelector('.facts').textContent,"
                  "similarity: Number(match.querySelector('.similarity').textContent),"
                  "picture: match.querySelector('img').complete && match.querySelector('img').naturalWidth > 0}))")


def settled():
    return not script("return document.querySelector('#results').classList.contains('waiting')")


def searched(least=1):
    return until("matches", lambda: settled() and (lambda found: len(found) >= least and found)(shown()))


CONTRAST = r"""
const channel = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const parse = (text) => text.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (color.length < 4 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
const bad = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
  if (!own || element.getClientRects().length === 0) continue;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) bad.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
}
return bad;
"""

with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    driver = subprocess.Popen([driver_file, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              start_new_session=True)
    try:
        port = None
        for line in driver.stdout:
            started = re.search(r"started successfully on port (\d+)", line)
            if started:
                port = started.group(1)
                break
        if port is None:
            raise SystemExit("chromedriver did not start")
        base = f"http://127.0.0.1:{port}"
        options = {"binary": chromium, "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900",
                                                "--disable-dev-shm-usage", f"--user-data-dir={folder}"]}
        session = call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        base += "/session/" + session["sessionId"]
        call("POST", "/url", {"url": address})
        until("the gallery's size", lambda: text_of("#gallery-text").startswith(f"{images} images of "))
        shoot("1-empty")

        # A picture is chosen.
        keys("#file", picture)
        found = searched()
        check("twenty images, the picture itself first", len(found) == 20 and found[0]["similarity"] == 1)
        check("the picture's own name", found[0]["id"].endswith(os.path.basename(picture)))
        check("sorted", all(a["similarity"] >= b["similarity"] for a, b in zip(found, found[1:])))
        until("the pictures in view", lambda: all(match["picture"] for match in shown()[:4]))
        check("a preview", script("return document.querySelector('#preview').naturalWidth > 0"))
        check("a status", text_of("#status").startswith("20 images, searched in "))
        shoot("2-found")

        # The slider is clicked near its end, then moved with the keyboard.
        slider = find("#threshold")
        width = call("GET", f"/element/{slider}/rect")["width"]
        call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "origin": {ELEMENT: slider}, "x": int(width * 0.45), "y": 0},
            {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]}]})
        least = float(text_of("#threshold-text"))
        check("a threshold near one", 0.85 < least < 1)
        few = shown()
        check("fewer images, all of them similar enough", 0 < len(few) < 20 and all(m["similarity"] >= least - 0.005 for m in few))
        check("a status of few", f"of {20} found" in text_of("#status"))
        keys("#threshold", "\ue011")  # Home
        check("all again", text_of("#threshold-text") == "0.00" and len(shown()) == 20)

        # Without the camera of the first match.
        camera = re.search(r"camera (\d+)", found[0]["facts"]).group(1)
        click(f"#camera-list input[value='{camera}']")
        others = until("images of other cameras", lambda: settled() and (
            lambda now: now and all(f"camera {camera}" not in m["facts"] for m in now) and now)(shown()))
        check("other images", others[0]["id"] != found[0]["id"])
        keys("#top", "\ue009a\ue0005")  # Ctrl-A, 5
        until("five images", lambda: settled() and len(shown()) == 5)
        shoot("3-filtered")
        for box in script("return [...document.querySelectorAll('#camera-list input:checked')].map((box) => box.value)"):
            click(f"#camera-list input[value='{box}']")
        until("no camera", lambda: "No camera is chosen" in text_of("#status") and not shown())
        click("#reset")
        until("everything again", lambda: settled() and len(shown()) == 20)

        # One of the matches becomes the query.
        second = shown()[1]["id"]
        click(".match:nth-child(2) .again")
        until("that image first", lambda: settled() and shown() and shown()[0]["id"] == second)
        check("its name beside the preview", text_of("#drop-text") == second)

        # A picture is dropped; nothing drags files over a page without a window system, so the event is made.
        script("""
            const transfer = new DataTransfer();
            return fetch(document.querySelector('.match img').src).then((answer) => answer.blob()).then((blob) => {
              transfer.items.add(new File([blob], 'dropped.jpg', { type: 'image/jpeg' }));
              document.querySelector('#drop').dispatchEvent(
                  new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
            });""")
        until("the dropped picture", lambda: text_of("#drop-text") == "dropped.jpg" and settled() and len(shown()) == 20)

        # What is no picture is said.
        keys("#file", text_file)
        until("a problem", lambda: "is not a JPEG, PNG, WebP or BMP picture" in text_of("#problem"))
        check("no match of another picture", not shown())
        shoot("4-problem")
        keys("#file", picture)
        searched()
        check("no problem any more", not script("return document.querySelector('#problem').checkVisibility()"))

        # By keyboard alone.
        script("document.querySelector('.skip').focus()")
        stops = []
        for _ in range(3):
            call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
                {"type": "keyDown", "value": "\ue004"}, {"type": "keyUp", "value": "\ue004"}]}]})
            stops.append(script("return document.activeElement.id || document.activeElement.className"))
        check(f"stops of the keyboard {stops}", stops == ["file", "threshold", "top"])
        unnamed = script("return [...document.querySelectorAll('input, button')].filter((field) => field.labels === undefined "
                         "|| (field.labels.length === 0 && !field.getAttribute('aria-label') && field.textContent === ''))"
                         ".map((field) => field.id)")
        check(f"a label for each field {unnamed}", not unnamed)

        # Light, dark, narrow.
        for scheme in ("light", "dark"):
            call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]}})
            bad = script(CONTRAST)
            check(f"contrast in {scheme}: {bad}", not bad)
            shoot(f"5-{scheme}")
        call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}})
        check("nothing wider than a phone", script("return document.documentElement.scrollWidth <= 390"))
        shoot("6-phone")

        # Nothing came from elsewhere, nothing went wrong unseen.
        elsewhere = script("return performance.getEntriesByType('resource').map((entry) => entry.name)"
                           ".filter((name) => !name.startsWith(location.origin + '/') && !/^(blob|data):/.test(name))")
        check(f"only this service was asked {elsewhere}", not elsewhere)
        log = [entry for entry in call("POST", "/se/log", {"type": "browser"})
               if entry["level"] == "SEVERE" and "415" not in entry["message"]]
        check(f"no error in the console {log}", not log)
        call("DELETE", "")
    finally:
        os.killpg(driver.pid, signal.SIGKILL)  # with the browser, in whatever state it is
        driver.wait()
print("the page works")
