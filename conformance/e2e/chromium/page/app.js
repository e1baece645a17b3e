// A single-page application on an origin of its own. It signs in by oauth4webapi, and calls the API as pages do.
// The suite calls the functions of `window.page`, and reads what a script of the page can read.
import * as oauth from '/oauth4webapi.js';

const { issuer, api } = await (await fetch('/settings.json')).json();
const client = { client_id: 'web' };
const redirectUri = `${location.origin}/callback`;
const loopback = { [oauth.allowInsecureRequests]: true };
const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, loopback));

let tokens = null;
let refreshing = null;
let ended = null;

async function signIn() {
  const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
  sessionStorage.setItem('sign-in', JSON.stringify({ state, verifier }));
  const target = new URL(server.authorization_endpoint);
  target.search = new URLSearchParams({
    response_type: 'code', client_id: client.client_id, redirect_uri: redirectUri, state,
    scope: 'openid offline_access orders:read',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  location.assign(target);
}

async function finishSignIn() {
  const { state, verifier } = JSON.parse(sessionStorage.getItem('sign-in'));
  const answer = oauth.validateAuthResponse(server, client, new URL(location.href), state);
  history.replaceState(null, '', '/');
  const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, redirectUri, verifier, loopback);
  tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true });
}

// One at a time: a refresh token can be used once.
function refresh() {
  refreshing ??= (async () => {
    const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, loopback);
    tokens = { ...tokens, ...(await oauth.processRefreshTokenResponse(server, client, response)) };
  })().finally(() => { refreshing = null; });
  return refreshing;
}

// A request, and all that a script can read of its answer; or how it failed.
async function call(method, path, { anonymous = false, headers = {}, ...more } = {}) {
  const token = anonymous || !tokens ? {} : { authorization: `Bearer ${tokens.access_token}` };
  try {
    const response = await fetch(api + path, { method, headers: { ...token, ...headers }, ...more });
    const text = await response.text();
    let code = null;
    try { code = JSON.parse(text).code ?? null; } catch { /* Not JSON. */ }
    const read = (name) => response.headers.get(name);
    return {
      status: response.status, code, text, challenge: read('www-authenticate'),
      retryAfter: read('retry-after'), requestId: read('x-request-id'), secret: read('x-secret'),
    };
  } catch (error) {
    return { failed: error.name };
  }
}

// As a page that is open for long does it: at 401, it renews its token once and asks again.
async function callAndRenew(path) {
  const statuses = [];
  for (const last of [false, true]) {
    const { status, challenge } = await call('GET', path);
    statuses.push(status);
    if (status !== 401 || last || !challenge.includes('invalid_token')) break;
    await refresh();
  }
  return statuses;
}

// What the library makes of a refusal: the challenge, read by its parser.
async function challengeOf(path, token) {
  try {
    await oauth.protectedResourceRequest(token, 'GET', new URL(api + path), undefined, undefined, loopback);
    return null;
  } catch (error) {
    return error.cause?.[0] ?? { failed: error.name };
  }
}

// A WebSocket up to its first message, or to its end.
function socket(path, protocols) {
  const live = new WebSocket(api.replace('http', 'ws') + path, protocols);
  ended = new Promise((resolve) => {
    live.onclose = ({ code, reason }) => resolve({ closed: code, reason });
  });
  const begun = new Promise((resolve) => {
    live.onmessage = ({ data }) => resolve({ protocol: live.protocol, data });
  });
  return Promise.race([begun, ended]);
}

const socketWithToken = (path) => socket(path, ['bearer', tokens.access_token, 'chat']);

// How the WebSocket ends.
const socketEnd = () => ended;

// The first events of a stream by `fetch`, which can send a token.
async function eventsByFetch(path) {
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const stop = new AbortController();
  const response = await fetch(api + path, { headers, signal: stop.signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.split('\n\n').length < 3) text += (await reader.read()).value;
  stop.abort();
  return text.split('\n\n').slice(0, 2);
}

// The first event of an `EventSource`, which can send nothing but a cookie.
function eventsByCookie(path) {
  const source = new EventSource(api + path, { withCredentials: true });
  return new Promise((resolve) => {
    const end = (answer) => { source.close(); resolve(answer); };
    source.onmessage = ({ data }) => end({ data });
    source.onerror = () => end({ failed: true });
  });
}

function keepInCookie(attributes) {
  document.cookie = `token=${tokens.access_token}; Path=/; ${attributes}`;
}

// A cookie that is no token, which shows at the API whether the browser sends any.
function keepWitness(attributes) {
  document.cookie = `witness=1; Path=/; ${attributes}`;
}

// A form of this page, as other sites send them: it leaves the page.
function submitForm(path) {
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action: api + path });
  document.body.append(form);
  form.submit();
}

window.page = {
  call, callAndRenew, challengeOf, refresh, socket, socketWithToken, socketEnd, eventsByFetch, eventsByCookie,
  keepInCookie, keepWitness, submitForm, token: () => tokens.access_token,
};
document.querySelector('#sign-in').onclick = signIn;
if (location.pathname === '/callback') {
  await finishSignIn();
  document.querySelector('#state').textContent = 'Signed in';
} else {
  document.querySelector('#state').textContent = 'Ready';
}
