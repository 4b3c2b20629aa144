import { IconAlertTriangle } from '@tabler/icons-react';
import type { Floor } from '../api/types';
import { Elapsed } from '../ui/Elapsed';
import classes from './Floor.module.css';

/** What managers are warned of, until it has passed. */
export function AlertsPanel({ alerts }: { alerts: Floor['alerts'] }) {
  if (alerts.length === 0) return null;
  return (
    <ul className={classes.alerts} aria-label="Alerts">
      {alerts.map((alert) => (
        <li key={alert.id}>
          <IconAlertTriangle size={16} stroke={1.8} aria-hidden />
          <span>{alert.message}</span>
          <Elapsed since={alert.raised_at} />
        </li>
      ))}
    </ul>
  );
}
