// What a web page can send to a proxy on the machine of whoever looks at it.
// Each way sends its own name along, by which the upstream knows it again.
// `proxy` is where the proxy listens; /done at our own server takes what a
// page could read.
"use strict";

const proxy = new URLSearchParams(location.search).get("proxy");
const read = {};

const chat = (name) => JSON.stringify({
  model: "m", messages: [{ role: "user", content: `way-${name}` }],
});
const file = (name) => `${proxy}/up/v1/files/way-${name}`;
const plain = (name) => ({
  method: "POST", mode: "no-cors", body: chat(name),
  headers: { "content-type": "text/plain" },
});

/** Resolves after `event` of `element`, or an error of it. */
const after = (element, event) => new Promise((resolve) => {
  element.addEventListener(event, resolve);
  element.addEventListener("error", resolve);
});
const add = (tag, attributes, event = "load") => {
  const element = Object.assign(document.createElement(tag), attributes);
  const done = after(element, event);
  document.body.append(element);
  return done;
};
const nobody = `<script>
  fetch("${proxy}/v1/chat/completions", {
    method: "POST", mode: "no-cors", body: NAME,
    headers: { "content-type": "text/plain" },
  }).catch(() => 0).finally(() => parent.postMessage("done", "*"));
</` + "script>";
/** A page without an origin: `make` gives its frame's attributes. */
const without_origin = async (name, make) => {
  const told = after(window, "message");
  const body = JSON.stringify(chat(name));
  const frame = document.createElement("iframe");
  const attributes = make(nobody.replace("NAME", () => body));
  for (const [key, value] of Object.entries(attributes))
    frame.setAttribute(key, value);
  document.body.append(frame);
  await told;
};

const ways = {
  "plain-post": (name) => fetch(`${proxy}/v1/chat/completions`, plain(name)),
  "plain-post-below-a-backend": (name) =>
    fetch(`${proxy}/up/v1/chat/completions`, plain(name)),
  "get": (name) => fetch(file(name), { mode: "no-cors" }),
  "get-without-referrer": (name) =>
    fetch(file(name), { mode: "no-cors", referrerPolicy: "no-referrer" }),
  "post-without-referrer": (name) => fetch(`${proxy}/v1/chat/completions`,
    { ...plain(name), referrerPolicy: "no-referrer" }),
  "readable-get": async (name) => {
    read[name] = await (await fetch(file(name))).text();
  },
  "json": async (name) => {
    const response = await fetch(`${proxy}/v1/chat/completions`, {
      method: "POST", body: chat(name),
      headers: { "content-type": "application/json" },
    });
    read[name] = await response.text();
  },
  "sandboxed-frame": (name) => without_origin(name, (srcdoc) =>
    ({ sandbox: "allow-scripts", srcdoc })),
  "data-frame": (name) => without_origin(name, (html) =>
    ({ src: `data:text/html,${encodeURIComponent(html)}` })),
  "form": async (name) => {
    const target = `frame-${name}`;
    const loaded = add("iframe", { name: target });
    await loaded;
    const form = Object.assign(document.createElement("form"), {
      method: "post", enctype: "text/plain", target,
      action: `${proxy}/v1/chat/completions`,
    });
    // "name=value" that is JSON as a whole.
    form.append(Object.assign(document.createElement("input"), {
      name: chat(name).slice(0, -1) + ',"x":"', value: '"}',
    }));
    document.body.append(form);
    const answered = after(document.getElementsByName(target)[0], "load");
    form.submit();
    await answered;
  },
  "image": (name) => add("img", { src: file(name) }),
  "script": (name) => add("script", { src: file(name) }),
  "style": (name) => add("link", { rel: "stylesheet", href: file(name) }),
  "frame": (name) => add("iframe", { src: file(name) }),
  "event-source": (name) => {
    const source = new EventSource(file(name));
    return after(source, "open").finally(() => source.close());
  },
  "websocket": (name) =>
    after(new WebSocket(file(name).replace("http", "ws")), "open"),
  "beacon": async (name) => {
    navigator.sendBeacon(`${proxy}/v1/chat/completions`, chat(name));
  },
};

(async () => {
  for (const [name, go] of Object.entries(ways)) {
    // What is refused rejects, or says nothing at all.
    const soon = new Promise((resolve) => setTimeout(resolve, 5000));
    await Promise.race([Promise.resolve(go(name)).catch(() => 0), soon]);
  }
  await fetch("/done", { method: "POST", body: JSON.stringify(read) });
})();
