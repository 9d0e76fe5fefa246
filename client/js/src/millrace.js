// The Millrace client for browsers and Node: START HERE.
//
//   const hub = connect();                       // In a page: the hub that served it.
//   for await (const record of hub.subscribe({ topics: ["orders"] })) show(record);
//
// millrace.d.ts says what each of these promises.

export { connect } from "./connection.js";
export { CloseCode } from "./close_codes.js";
export { MillraceError } from "./error.js";
