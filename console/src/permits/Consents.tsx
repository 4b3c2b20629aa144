import { Modal, SegmentedControl, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Consent } from '../api/types';
import { attempt } from '../ui/notify';
import { Failure, Loading } from '../ui/States';
import { moment } from '../ui/time';
import classes from './Consents.module.css';
import { useConsents, useSetConsent } from './queries';

const CHANNELS = [
  { value: 'call', label: 'Calls' },
  { value: 'sms', label: 'Text messages' },
  { value: 'email', label: 'Email' },
] as const;

const STATES = [
  { value: 'unknown', label: 'Not asked' },
  { value: 'granted', label: 'Agreed' },
  { value: 'denied', label: 'Refused' },
];

function since(consent: Consent): string {
  const by = consent.by ? `${consent.by.name}, ` : '';
  const source = consent.source ? ` · ${consent.source}` : '';
  return `${by}${moment(consent.at)}${source}`;
}

/** What a contact has agreed to, channel by channel, and where that is on record. */
export function Consents({ contactId, onClose }: { contactId: string; onClose: () => void }) {
  const query = useConsents(contactId);
  const save = useSetConsent(contactId);
  const [source, setSource] = useState('');
  const known = new Map(query.data?.data.map((consent) => [consent.channel, consent]));
  return (
    <Modal opened onClose={onClose} title="Consent">
      <div className={classes.form}>
        {query.isPending && <Loading rows={3} />}
        {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
        {query.isSuccess && (
          <>
            <TextInput
              label="Where it is on record"
              description="Kept with what you set next, such as “web form of 3 May” or “said so in a call”."
              maxLength={500}
              value={source}
              onChange={(event) => setSource(event.currentTarget.value)}
            />
            {CHANNELS.map((channel) => {
              const consent = known.get(channel.value);
              return (
                <div key={channel.value}>
                  <Text size="sm" fw={550} mb={4}>
                    {channel.label}
                  </Text>
                  <SegmentedControl
                    fullWidth
                    aria-label={`Consent to ${channel.label.toLowerCase()}`}
                    data={STATES}
                    value={consent?.state ?? 'unknown'}
                    onChange={(state) =>
                      attempt(
                        save.mutateAsync({
                          channel: channel.value,
                          state: state as Consent['state'],
                          source: source.trim(),
                        }),
                        'The consent did not change',
                      )
                    }
                  />
                  {consent && (
                    <Text size="xs" className="muted" mt={4}>
                      {since(consent)}
                    </Text>
                  )}
                </div>
              );
            })}
          </>
        )}
      </div>
    </Modal>
  );
}
