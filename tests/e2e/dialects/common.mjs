// What the dialect tables share.

/** A stream that told of an error, or stopped before its terminal event. */
export class StreamError extends Error {
  constructor(message, body) {
    super(message);
    this.body = body;
  }
}

/** Words with their trailing space: how a model streams text. */
export const words = (text) => text.match(/\s*\S+\s*/g) ?? [text];

/** Pieces of five characters: arguments split anywhere, also in escapes. */
export const shreds = (text) => text.match(/[\s\S]{1,5}/g) ?? [""];

/** Without the members that are undefined. */
export const defined = (object) =>
  Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined));

/** The first key of `table` with this value. */
export const keyOf = (table, value) =>
  Object.keys(table).find((key) => table[key] === value);

export const dataUrl = ({ mediaType, data }) =>
  `data:${mediaType};base64,${data}`;

export function parseDataUrl(url) {
  const match = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  return match ? { mediaType: match[1], data: match[2] } : { url };
}

/** Adds parts to the list, joining them to the last turn of that role. */
export function pushParts(messages, role, parts) {
  const last = messages.at(-1);
  if (last?.role === role) last.parts.push(...parts);
  else messages.push({ role, parts: [...parts] });
}

/** Splits a complete event stream into its records, as the WHATWG says. */
export function* records(text) {
  for (const block of text.split(/\r\n\r\n|\n\n|\r\r/)) {
    let event;
    const data = [];
    for (const line of block.split(/\r\n|\n|\r/)) {
      const [, field, value] = /^([^:]*):? ?([^]*)$/.exec(line);
      if (field === "event") event = value;
      if (field === "data") data.push(value);
    }
    if (data.length) yield { event, data: data.join("\n") };
  }
}
