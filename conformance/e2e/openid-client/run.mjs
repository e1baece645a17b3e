// A certified client against the development identity provider, whose issuer is the first argument: every flow that both
// of them know. It ends with an error where one fails.

import * as oc from "openid-client";

const issuer = new URL(process.argv[2]);
const options = { execute: [oc.allowInsecureRequests] };
const redirect_uri = "http://127.0.0.1:4711/callback";
const form = { "content-type": "application/x-www-form-urlencoded" };
const post = (url, body) => fetch(url, { method: "POST", redirect: "manual", headers: form, body });

function check(what, holds) {
  if (!holds) throw new Error(what);
  console.log(what);
}

const web = await oc.discovery(issuer, "web", undefined, oc.None(), options);
const service = await oc.discovery(issuer, "service", undefined, oc.ClientSecretBasic("service-secret"), options);
const dpop = oc.getDPoPHandle(web, await oc.randomDPoPKeyPair("ES256"));
const isActive = async (token) => (await oc.tokenIntrospection(service, token)).active;

// RFC 9126, RFC 7636, RFC 9449 with nonces, RFC 9207.
const [pkceCodeVerifier, expectedNonce, expectedState] = [
  oc.randomPKCECodeVerifier(),
  oc.randomNonce(),
  oc.randomState(),
];
const asked = {
  redirect_uri,
  scope: "openid orders:read",
  code_challenge: await oc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  nonce: expectedNonce,
  state: expectedState,
};
const url = await oc.buildAuthorizationUrlWithPAR(web, asked, { DPoP: dpop });
check("pushed request", url.searchParams.has("request_uri"));
const back = (await post(url, "username=alice&password=alice")).headers.get("location");
const expected = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true };
const tokens = await oc.authorizationCodeGrant(web, new URL(back), expected, undefined, { DPoP: dpop });
check("code", tokens.token_type === "dpop" && tokens.claims().preferred_username === "alice");
const sub = tokens.claims().sub;
check("userinfo", (await oc.fetchUserInfo(web, tokens.access_token, sub, { DPoP: dpop })).sub === sub);
const refreshed = await oc.refreshTokenGrant(web, tokens.refresh_token, undefined, { DPoP: dpop });
const told = await oc.tokenIntrospection(service, refreshed.access_token);
check("refresh and introspection", told.active && told.cnf.jkt.length === 43);

// RFC 8628.
const device = await oc.initiateDeviceAuthorization(web, { scope: "openid" });
await post(new URL("/dev/device", issuer), `user_code=${device.user_code}&user=alice`);
const ofDevice = await oc.pollDeviceAuthorizationGrant(web, device);
check("device", ofDevice.claims().sub === sub);

// RFC 8693.
const exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const subject_token_type = "urn:ietf:params:oauth:token-type:access_token";
const subject = { subject_token: ofDevice.access_token, subject_token_type };
const exchanged = await oc.genericGrantRequest(service, exchange, subject);
check("token exchange", exchanged.issued_token_type === subject_token_type);

// RFC 7591, with a secret and with a key (RFC 7523).
const grant_types = ["client_credentials"];
const bySecret = { grant_types, token_endpoint_auth_method: "client_secret_post" };
const first = await oc.dynamicClientRegistration(issuer, bySecret, oc.ClientSecretPost(), options);
check("registration", await isActive((await oc.clientCredentialsGrant(first)).access_token));
const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
const byKey = { grant_types, token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [{ kty, crv, x, y }] } };
const second = await oc.dynamicClientRegistration(issuer, byKey, oc.PrivateKeyJwt(pair.privateKey), options);
check("private_key_jwt", await isActive((await oc.clientCredentialsGrant(second)).access_token));

// OpenID Connect RP-Initiated Logout, and RFC 7009.
const bye = { id_token_hint: tokens.id_token, post_logout_redirect_uri: "http://127.0.0.1/bye", state: "s" };
const out = await fetch(oc.buildEndSessionUrl(web, bye), { redirect: "manual" });
check("logout", out.headers.get("location") === "http://127.0.0.1/bye?state=s");
check("over with the session", !(await isActive(refreshed.access_token)));
await oc.tokenRevocation(web, ofDevice.refresh_token);
check("over with the grant", !(await isActive(exchanged.access_token)));
