import type { Contact, ContactInput, Custom } from '../api/types';

/** What the form holds: text everywhere, rows with a key of their own. */
export type ContactDraft = {
  first_name: string;
  last_name: string;
  company: string;
  title: string;
  stage: string;
  owner_id: string | null;
  tags: string[];
  phones: Row[];
  emails: Row[];
  custom: Row[];
};

/** A phone, an email or a custom field: `value` with its `label` (a custom field's name). */
export type Row = { key: string; value: string; label: string };

let lastKey = 0;

export function row(value = '', label = ''): Row {
  lastKey += 1;
  return { key: `row-${lastKey}`, value, label };
}

export function draftOf(contact: Contact | null): ContactDraft {
  return {
    first_name: contact?.first_name ?? '',
    last_name: contact?.last_name ?? '',
    company: contact?.company ?? '',
    title: contact?.title ?? '',
    stage: contact?.stage ?? '',
    owner_id: contact?.owner_id ?? null,
    tags: contact?.tags ?? [],
    phones: contact?.phones.map((phone) => row(phone.e164, phone.label ?? '')) ?? [row()],
    emails: contact?.emails.map((email) => row(email.address, email.label ?? '')) ?? [row()],
    custom: Object.entries(contact?.custom ?? {}).map(([name, value]) => row(String(value ?? ''), name)),
  };
}

const filled = (rows: Row[]) => rows.filter((each) => each.value.trim());

/** Without a label the server gives its own. */
function labelled(each: Row): { label?: string } {
  const label = each.label.trim();
  return label ? { label } : {};
}

/** What is sent. Values of custom fields that were not touched keep their type. */
export function inputOf(draft: ContactDraft, before: Contact | null): ContactInput {
  const known = before?.custom ?? {};
  const custom: [string, Custom[string]][] = filled(draft.custom)
    .filter((each) => each.label.trim())
    .map((each) => {
      const name = each.label.trim();
      const old = known[name];
      return [
        name,
        old !== undefined && String(old) === each.value ? (old as Custom[string]) : each.value.trim(),
      ];
    });
  return {
    first_name: draft.first_name.trim(),
    last_name: draft.last_name.trim(),
    company: draft.company.trim(),
    title: draft.title.trim(),
    stage: draft.stage.trim(),
    owner_id: draft.owner_id,
    tags: draft.tags,
    phones: filled(draft.phones).map((each) => phoneInput(each, before)),
    emails: filled(draft.emails).map((each) => ({ address: each.value.trim(), ...labelled(each) })),
    custom: Object.fromEntries(custom),
  };
}

/** A number that was there before goes back as it was; a new one is left to the server to read. */
function phoneInput(each: Row, before: Contact | null) {
  const number = each.value.trim();
  const known = before?.phones.find((phone) => phone.e164 === number);
  return { ...(known ? { e164: known.e164, extension: known.extension } : { number }), ...labelled(each) };
}
