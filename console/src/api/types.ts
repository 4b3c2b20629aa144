import type { components } from './schema';

type Schemas = components['schemas'];

export type Role = Schemas['Role'];
export type Tokens = Schemas['Session'];
export type Membership = Schemas['Membership'];
export type Member = Schemas['Member'];
export type Contact = Schemas['Contact'];
export type ContactInput = Schemas['ContactInput'];
export type ContactPage = Schemas['ContactList'];
export type Phone = Schemas['Phone'];
export type Facets = Schemas['Facets'];
export type Call = Schemas['Call'];
export type CallState = Schemas['CallState'];
export type Disposition = Schemas['Disposition'];
export type Activity = Schemas['Activity'];
export type ActivityPage = Schemas['ActivityList'];
export type Import = Schemas['Import'];
export type ImportPreview = Schemas['ImportPreview'];
export type Person = Schemas['Person'];
export type Floor = Schemas['Floor'];
export type WireEvent = Schemas['Event'];
export type Job = Schemas['Job'];

/** Orders in which the server can list contacts. */
export type ContactSort =
  | 'created_at'
  | '-created_at'
  | 'updated_at'
  | '-updated_at'
  | 'name'
  | '-name'
  | 'company'
  | '-company';
