// Three clients get tokens that are bound to their keys, and call protected APIs with them: as they do it, and as somebody
// between them and the API would have it. The first argument is JSON: the issuer, the API's name there, and the addresses.
// Each line of the output is an answer, as JSON.

import * as dpop from "dpop";
import * as oauth from "oauth4webapi";
import * as oc from "openid-client";

const { issuer, resource, doors } = JSON.parse(process.argv[2]);
const server = new URL(issuer);
const parameters = { resource, scope: "orders:read" };
const [id, secret] = ["service", "service-secret"];

// Between a client and the API: it changes requests, and notes the answers.
const wire = {
  change: (request) => [request],
  answers: [],
  async fetch(url, { method, headers }) {
    let response;
    for (const sent of wire.change({ url, method, headers: new Headers(headers) })) {
      response = await fetch(sent.url, { method: sent.method, headers: sent.headers, redirect: "manual" });
      wire.answers.push({ status: response.status, code: await codeOf(response.clone()) });
    }
    return response;
  },
};

async function codeOf(response) {
  const text = await response.text();
  return response.ok ? "" : JSON.parse(text).code;
}

function withHeader(request, change) {
  const headers = new Headers(request.headers);
  change(headers);
  return [{ ...request, headers }];
}

const asBearer = (headers) => headers.set("authorization", headers.get("authorization").replace("DPoP", "Bearer"));

const attempts = {
  good: (request) => [request],
  replayed: (request) => [request, request],
  "another method": (request) => [{ ...request, method: "DELETE" }],
  "another URL": (request) => [{ ...request, url: new URL("/orders/43", request.url) }],
  "another host": (request) => withHeader(request, (headers) => headers.set("x-forwarded-host", "api.example")),
  "as Bearer": (request) => withHeader(request, asBearer),
  "without proof": (request) => withHeader(request, (headers) => headers.delete("dpop")),
};

// It asks again by itself where a nonce is wanted.
async function openidClient(algorithm) {
  const options = { execute: [oc.allowInsecureRequests] };
  const config = await oc.discovery(server, id, undefined, oc.ClientSecretBasic(secret), options);
  const DPoP = oc.getDPoPHandle(config, await oc.randomDPoPKeyPair(algorithm));
  const { access_token } = await oc.clientCredentialsGrant(config, parameters, { DPoP });
  config[oc.customFetch] = wire.fetch;
  const call = (url, token) => oc.fetchProtectedResource(config, token, url, "GET", undefined, undefined, { DPoP });
  return { token: access_token, call };
}

// It says that a nonce is wanted; the caller asks again, as its examples do.
async function oauth4webapi(algorithm) {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const discovered = await oauth.discoveryRequest(server, { ...insecure, algorithm: "oidc" });
  const as = await oauth.processDiscoveryResponse(server, discovered);
  const client = { client_id: id };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(algorithm));
  const twice = (ask) => ask().catch((error) => (oauth.isDPoPNonceError(error) ? ask() : Promise.reject(error)));
  const { access_token } = await twice(async () => {
    const basic = oauth.ClientSecretBasic(secret);
    const response = await oauth.clientCredentialsGrantRequest(as, client, basic, parameters, { ...insecure, DPoP });
    return oauth.processClientCredentialsResponse(as, client, response);
  });
  const options = { ...insecure, DPoP, [oauth.customFetch]: wire.fetch };
  const ask = (url, token) => oauth.protectedResourceRequest(token, "GET", url, undefined, undefined, options);
  return { token: access_token, call: (url, token) => twice(() => ask(url, token)) };
}

// It makes proofs and nothing else.
async function proofsOnly(algorithm) {
  const pair = await dpop.generateKeyPair(algorithm);
  const nonces = new Map();
  async function ask(send, url, method, headers, token, body) {
    const target = `${url.origin}${url.pathname}`;
    const proof = () => dpop.generateProof(pair, target, method, nonces.get(url.origin), token);
    const once = async () => send(url, { method, headers: { ...headers, dpop: await proof() }, body });
    const remember = (response) => {
      const nonce = response.headers.get("dpop-nonce");
      if (nonce) nonces.set(url.origin, nonce);
      return response;
    };
    const response = remember(await once());
    const wanted = response.headers.get("www-authenticate") ?? (await response.clone().text());
    return wanted.includes("use_dpop_nonce") ? remember(await once()) : response;
  }
  const { token_endpoint } = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const body = new URLSearchParams({ ...parameters, grant_type: "client_credentials" });
  const authorization = `Basic ${btoa(`${id}:${secret}`)}`;
  const answer = await ask(fetch, new URL(token_endpoint), "POST", { authorization }, undefined, body);
  const { access_token } = await answer.json();
  const call = (url, token) => ask(wire.fetch, url, "GET", { authorization: `DPoP ${token}` }, token);
  return { token: access_token, call };
}

async function attempt(row, change, client, token, url) {
  Object.assign(wire, { change, answers: [] });
  // A refusal is an error for some of them; what counts is what came over the wire.
  await client.call(new URL(url), token).catch(() => undefined);
  console.log(JSON.stringify({ ...row, ...wire.answers.at(-1), requests: wire.answers.length }));
}

for (const [name, start] of Object.entries({ "openid-client": openidClient, oauth4webapi, dpop: proofsOnly })) {
  const client = await start("ES256");
  const thief = await start("ES256");
  for (const door of doors) {
    for (const [what, change] of Object.entries(attempts)) {
      await attempt({ client: name, door: door.name, attempt: what }, change, client, client.token, door.url);
    }
    const row = { client: name, door: door.name, attempt: "another key" };
    await attempt(row, attempts.good, thief, client.token, door.url);
  }
  for (const algorithm of ["Ed25519", "PS256", "RS256"]) {
    const other = await start(algorithm);
    const row = { client: name, door: doors[0].name, attempt: `good with ${algorithm}` };
    await attempt(row, attempts.good, other, other.token, doors[0].url);
  }
}
