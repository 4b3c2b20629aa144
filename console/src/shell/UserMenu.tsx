import { type MantineColorScheme, Menu, Text, useMantineColorScheme } from '@mantine/core';
import {
  IconCheck,
  IconChevronUp,
  IconCircle,
  IconLogout,
  IconLogout2,
  IconMoonStars,
} from '@tabler/icons-react';
import { roleLabel } from '../admin/roles';
import { useMe } from '../app/hooks';
import { session } from '../app/services';
import { useMyPerson, useSetPresence } from '../calls/presence';
import { Initials } from '../ui/Initials';
import { notifyFailure } from '../ui/notify';
import classes from './Shell.module.css';

const SCHEMES = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'auto', label: 'Like the system' },
] as const;

function Companies() {
  const { tenants, tenant } = useMe();
  if (tenants.length < 2) return null;
  const change = (id: string) =>
    session.switchTo(id).catch((error) => notifyFailure('The company could not be changed', error));
  return (
    <>
      <Menu.Label>Company</Menu.Label>
      {tenants.map((each) => (
        <Menu.Item
          key={each.id}
          disabled={each.id === tenant.id}
          rightSection={each.id === tenant.id ? <IconCheck size={15} /> : null}
          onClick={() => change(each.id)}
        >
          {each.name}
        </Menu.Item>
      ))}
      <Menu.Divider />
    </>
  );
}

function PresenceItem() {
  const person = useMyPerson();
  const setPresence = useSetPresence();
  const away = person?.state === 'away';
  return (
    <Menu.Item
      leftSection={away ? <IconCircle size={16} /> : <IconMoonStars size={16} />}
      onClick={() => setPresence.mutate(away ? 'online' : 'away')}
    >
      {away ? 'I am back' : 'Set me away'}
    </Menu.Item>
  );
}

/** The person, their company, the colour scheme, and the ways out. */
export function UserMenu() {
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu width={224} position="top-start">
      <Menu.Target>
        <button type="button" className={classes.user}>
          <Initials name={me.user.name} size={30} />
          <span className="visually-hidden">Account:</span>
          <span className={classes.userText}>
            <Text component="span" display="block" fw={600} className="truncate">
              {me.user.name}
            </Text>
            <Text component="span" display="block" size="xs" className="muted truncate">
              {roleLabel({ role: me.role, role_name: me.roleName })}
            </Text>
          </span>
          <IconChevronUp size={15} className={classes.userMore} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.user.email}</Menu.Label>
        <PresenceItem />
        <Menu.Divider />
        <Companies />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(value) => setColorScheme(value as MantineColorScheme)}
        >
          {SCHEMES.map((each) => (
            <Menu.RadioItem key={each.value} value={each.value} closeMenuOnClick={false}>
              {each.label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void session.logout(false)}>
          Sign out
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout2 size={16} />} onClick={() => void session.logout(true)}>
          Sign out everywhere
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
