/** Passkeys as JSON, as the server speaks of them; older browsers have no conversion of their own. */

type Json = Record<string, unknown>;

export function passkeysWork(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && Boolean(navigator.credentials);
}

function bytes(text: unknown): Uint8Array<ArrayBuffer> {
  const plain = String(text).replaceAll('-', '+').replaceAll('_', '/');
  return Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function withIds(list: unknown): PublicKeyCredentialDescriptor[] | undefined {
  if (!Array.isArray(list)) return undefined;
  return list.map((each) => ({ ...each, id: bytes(each.id) }));
}

function answer(credential: PublicKeyCredential, response: Json): Json {
  const id = text(credential.rawId);
  return { id, rawId: id, type: credential.type, response, clientExtensionResults: {} };
}

/** Asks the browser for a new passkey. Throws what the browser throws, such as when the person changes their mind. */
export async function makePasskey(options: Json): Promise<Json> {
  const user = options.user as Json;
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: withIds(options.excludeCredentials),
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return answer(made, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
  });
}

/** Whether the browser can offer passkeys where the email is typed, among what else it would fill in. */
export async function canOfferPasskeys(): Promise<boolean> {
  if (!passkeysWork()) return false;
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false;
}

/**
 * Has a passkey sign. Without `allowCredentials` the browser offers whatever it has for this address; with an `offered` signal it
 * does so quietly, in the field that is filled in, until that fires.
 */
export async function signWithPasskey(options: Json, offered?: AbortSignal): Promise<Json> {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: withIds(options.allowCredentials),
  } as unknown as PublicKeyCredentialRequestOptions;
  const how: CredentialRequestOptions = offered
    ? { publicKey, mediation: 'conditional', signal: offered }
    : { publicKey };
  const signed = (await navigator.credentials.get(how)) as PublicKeyCredential;
  const response = signed.response as AuthenticatorAssertionResponse;
  return answer(signed, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle ? text(response.userHandle) : null,
  });
}

/** What to say when the browser gave none; null when the person only changed their mind. */
export function passkeyProblem(error: unknown): string | null {
  if (!(error instanceof DOMException)) return null;
  if (error.name === 'NotAllowedError' || error.name === 'AbortError') return null;
  if (error.name === 'InvalidStateError') return 'This device has a passkey for your account already.';
  if (error.name === 'SecurityError')
    return 'Browsers give no passkeys at this address. Open Ringside at its own https address.';
  return 'This browser could not use a passkey.';
}
