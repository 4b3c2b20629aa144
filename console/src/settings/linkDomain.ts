import type { TrackingDomain } from '../api/types';
import type { Tone } from '../calls/states';

export type Step = { what: string; value: string; hint: string };

/** How the domain stands, in a word. */
export function standing(domain: TrackingDomain, awaited: boolean): [string, Tone] {
  if (!domain.domain) return ['Not set', 'plain'];
  if (awaited || !domain.checked_at) return ['Being looked at', 'plain'];
  return domain.is_used ? ['In use', 'good'] : ['Not in use', 'bad'];
}

/** The record that leads a domain to a server of this name. */
function record(domain: string, server: string): [value: string, hint: string] {
  if (/^(?!127\.)[\d.]+$/.test(server)) return [`${domain}. A ${server}`, 'The address of this server.'];
  if (server.includes('.') && !/^[\d.]+$/.test(server)) {
    return [
      `${domain}. CNAME ${server}.`,
      'A bare domain such as example.com cannot have a CNAME: use ALIAS or A there.',
    ];
  }
  return [`${domain}. A <address>`, 'The address at which this server is reached from the internet.'];
}

/** What makes a domain lead here: its record in the DNS, and what the proxy in front of this server has to do. */
export function steps(domain: string, server: string): Step[] {
  const [value, hint] = record(domain, server);
  return [
    { what: 'DNS record', value, hint },
    {
      what: 'Proxy',
      value: `https://${domain} → Ringside`,
      hint: 'On port 443, with a certificate for this name; at least the paths /t/ and /.well-known/ringside/.',
    },
  ];
}
