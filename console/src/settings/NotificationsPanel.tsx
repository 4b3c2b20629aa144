import { Button, Checkbox, Select, Switch, Text, TextInput } from '@mantine/core';
import { IconDeviceMobile } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import {
  type NotificationSettings,
  useDevices,
  useNotificationSettings,
  useRemoveDevice,
  useSaveNotificationSettings,
  useTakePushes,
  useThisBrowser,
  useTryDevice,
} from '../notifications/queries';
import { FormFoot } from '../ui/FormFoot';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { ago } from '../ui/time';
import own from './Notifications.module.css';
import classes from './Settings.module.css';

type Place = 'console' | 'email' | 'push';
const PLACES: [Place, string][] = [
  ['console', 'Console'],
  ['email', 'Email'],
  ['push', 'Push'],
];

function Topics({ settings }: { settings: NotificationSettings }) {
  const save = useSaveNotificationSettings();
  const set = (name: string, places: Record<Place, boolean>) =>
    attempt(save.mutateAsync({ topics: { [name]: places } }), 'Your choice could not be saved');
  return (
    <Panel title="Where you are told">
      <table className={own.topics}>
        <thead>
          <tr>
            <th>
              <span className="visually-hidden">Topic</span>
            </th>
            {PLACES.map(([place, label]) => (
              <th key={place} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {settings.topics.map(({ name, label, hint, console, email, push }) => {
            const places = { console, email, push };
            return (
              <tr key={name}>
                <th scope="row">
                  <Text fw={600} size="sm">
                    {label}
                  </Text>
                  <Text size="xs" className="muted">
                    {hint}
                  </Text>
                </th>
                {PLACES.map(([place, where]) => (
                  <td key={place}>
                    <Checkbox
                      aria-label={`${label}: ${where}`}
                      checked={places[place]}
                      onChange={(event) => set(name, { ...places, [place]: event.currentTarget.checked })}
                    />
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      <Text size="xs" className={`muted ${own.foot}`}>
        Mail gathers what you have not read in the console after three minutes. Pushes come to the devices
        below.
      </Text>
    </Panel>
  );
}

function minuteText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

function Quiet({ known }: { known: NotificationSettings['hours'] }) {
  // Who has said nothing yet lives where their browser does.
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [hours, setHours] = useState(known.quiet || known.zone !== 'UTC' ? known : { ...known, zone: here });
  const save = useSaveNotificationSettings();
  const zones = Intl.supportedValuesOf('timeZone');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ topics: {}, hours }, { onSuccess: () => notifyDone('Your quiet hours are set') });
  };
  return (
    <Panel title="Quiet hours">
      <form className={classes.form} onSubmit={submit}>
        <Switch
          label="No mail and no pushes at these times"
          description="They come when the quiet ends; nothing is lost. The bell counts on."
          checked={hours.quiet}
          onChange={(event) => setHours({ ...hours, quiet: event.currentTarget.checked })}
        />
        <div className={classes.pair}>
          <TextInput
            type="time"
            label="From"
            required
            disabled={!hours.quiet}
            value={minuteText(hours.quiet_from)}
            onChange={(event) => setHours({ ...hours, quiet_from: minuteOf(event.currentTarget.value) })}
          />
          <TextInput
            type="time"
            label="Until"
            required
            disabled={!hours.quiet}
            value={minuteText(hours.quiet_until)}
            onChange={(event) => setHours({ ...hours, quiet_until: minuteOf(event.currentTarget.value) })}
          />
          <Select
            label="Time zone"
            searchable
            allowDeselect={false}
            disabled={!hours.quiet}
            data={zones.includes(hours.zone) ? zones : [hours.zone, ...zones]}
            value={hours.zone}
            onChange={(zone) => zone && setHours({ ...hours, zone })}
          />
        </div>
        <Switch
          label="All of Saturday and Sunday, too"
          disabled={!hours.quiet}
          checked={hours.quiet_weekends}
          onChange={(event) => setHours({ ...hours, quiet_weekends: event.currentTarget.checked })}
        />
        <FormFoot error={save.error}>
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </FormFoot>
      </form>
    </Panel>
  );
}

const WHY_NOT: Record<string, string> = {
  unsupported: 'This browser can’t take pushes.',
  insecure: 'Pushes need a secure address (https).',
  needs_install: 'On an iPhone or iPad, add Ringside to the home screen first (Share, Add to Home Screen).',
  denied: 'Notifications of this site are blocked here. Allow them in the browser’s settings, and come back.',
};

function Devices() {
  const query = useDevices();
  const browser = useThisBrowser().data;
  const take = useTakePushes();
  const remove = useRemoveDevice();
  const attemptPush = useTryDevice();
  if (query.isPending) return <Loading rows={2} />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const devices = query.data?.data ?? [];
  const isEntered = browser?.state === 'on' && devices.some((each) => each.id === browser.id);
  const why = browser && WHY_NOT[browser.state];
  return (
    <Panel
      title="Devices that take pushes"
      aside={
        browser &&
        !why &&
        !isEntered && (
          <Button
            size="compact-sm"
            variant="default"
            loading={take.isPending}
            onClick={() =>
              query.data &&
              attempt(take.mutateAsync(query.data.key), 'This browser takes no pushes', () =>
                notifyDone('Pushes come to this browser from now on'),
              )
            }
          >
            Push to this browser
          </Button>
        )
      }
    >
      {why && <Text className={`muted ${own.foot}`}>{why}</Text>}
      {devices.length === 0 && (
        <Empty icon={<IconDeviceMobile size={20} />} title="No device takes pushes yet">
          Open this page on your phone or in another browser to add it.
        </Empty>
      )}
      <ul className={classes.rows} aria-label="Devices">
        {devices.map((each) => (
          <li key={each.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={600}>
                {each.device}
                {isEntered && each.id === browser?.id && <span className="muted"> · this browser</span>}
              </Text>
              <Text size="xs" className="muted">
                Added {ago(each.created_at)}
                {each.last_sent_at ? `, last push ${ago(each.last_sent_at)}` : ', no push yet'}
              </Text>
              {each.last_error && (
                <Text size="xs" c="red">
                  The last push did not arrive: {each.last_error}
                </Text>
              )}
            </div>
            <Button
              size="compact-sm"
              variant="subtle"
              onClick={() =>
                attempt(attemptPush.mutateAsync(each.id), 'No push could be sent', () =>
                  notifyDone('A push is on its way'),
                )
              }
            >
              Test
            </Button>
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              onClick={() => attempt(remove.mutateAsync(each.id), 'The device could not be removed')}
            >
              Remove
            </Button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** What one is told, where, and when not. */
export default function NotificationsPanel() {
  const query = useNotificationSettings();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!query.data) return null;
  return (
    <>
      <Topics settings={query.data} />
      <Devices />
      <Quiet key={JSON.stringify(query.data.hours)} known={query.data.hours} />
    </>
  );
}
