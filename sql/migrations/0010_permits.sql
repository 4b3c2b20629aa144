-- The permit: may we call or text this contact, on this number, at this moment? Decided in the database, from data that is
-- there, as a function of the moment asked about. And leases: who is busy with a contact.

-- Where a number may be: by the digits it begins with, the jurisdictions and the time zones it may stand in. Reference data
-- without a tenant; the app reads it through the functions below.
CREATE TABLE outreach_places (
    prefix          text COLLATE "C" PRIMARY KEY,
    jurisdictions   text[] NOT NULL,
    zones           text[] NOT NULL,
    geographic      boolean NOT NULL DEFAULT true
);

-- What the law (or a regulator) says, one rule a row, by jurisdiction: hours in which contact is allowed (minutes of the day at
-- the contact's place, by ISO weekday; a day left out by all of a jurisdiction's rows is not narrowed), days without any
-- contact, legal holidays that are kept, and how often one may call.
CREATE TABLE outreach_rules (
    id              text COLLATE "C" PRIMARY KEY,
    jurisdiction    text COLLATE "C" NOT NULL,
    kind            text NOT NULL CONSTRAINT outreach_rules_kind_known CHECK (kind IN ('hours', 'no_contact', 'holidays', 'frequency')),
    channels        text[] NOT NULL DEFAULT '{call,sms}',
    days            int[],
    opens           int CONSTRAINT outreach_rules_opens_quarter CHECK (opens % 15 = 0),
    closes          int CONSTRAINT outreach_rules_closes_quarter CHECK (closes % 15 = 0),
    holidays        text[],
    calls           int,
    within_hours    int,
    title           text NOT NULL,
    source          text NOT NULL
);
CREATE INDEX outreach_rules_of_jurisdiction ON outreach_rules (jurisdiction);

CREATE TABLE outreach_holidays (
    holiday     text COLLATE "C" NOT NULL,
    day         date NOT NULL,
    name        text NOT NULL,
    PRIMARY KEY (holiday, day)
);
CREATE INDEX outreach_holidays_by_day ON outreach_holidays (day);

DO $$
DECLARE t regclass;
BEGIN
    FOREACH t IN ARRAY ARRAY['outreach_places', 'outreach_rules', 'outreach_holidays']::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('GRANT SELECT ON %s TO ringside_system', t);
        PERFORM open_table_to(t, 'ringside_system');
        EXECUTE format('CREATE POLICY for_owner ON %s TO ringside_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

-- The version of the rules, places and holidays below. A migration that changes them raises it.
CREATE FUNCTION outreach_rule_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT '2026-11.1'
$$;
GRANT EXECUTE ON FUNCTION outreach_rule_version() TO ringside_app, ringside_system;

INSERT INTO outreach_rules (id, jurisdiction, kind, days, opens, closes, title, source) VALUES
    ('us-hours', 'US', 'hours', '{1,2,3,4,5,6,7}', 480, 1260, 'Federal calling hours', '47 CFR 64.1200(c)(1); 16 CFR 310.4(c)'),
    ('us-al-hours', 'US-AL', 'hours', '{1,2,3,4,5,6}', 480, 1200, 'Alabama calling hours', 'Ala. Admin. Code r. 770-X-5-.17(1)(b)'),
    ('us-ct-hours', 'US-CT', 'hours', '{1,2,3,4,5,6,7}', 540, 1200, 'Connecticut calling hours', 'Conn. Gen. Stat. § 42-288a'),
    ('us-fl-hours', 'US-FL', 'hours', '{1,2,3,4,5,6,7}', 480, 1200, 'Florida calling hours', 'Fla. Stat. § 501.616(6)(a)'),
    ('us-ky-hours', 'US-KY', 'hours', '{1,2,3,4,5,6,7}', 600, 1260, 'Kentucky calling hours', 'KRS 367.46955'),
    ('us-la-hours', 'US-LA', 'hours', '{1,2,3,4,5,6}', 480, 1200, 'Louisiana calling hours', 'La. Pub. Serv. Comm''n General Order R-29617 § V(A)(2)'),
    ('us-ma-hours', 'US-MA', 'hours', '{1,2,3,4,5,6,7}', 480, 1200, 'Massachusetts calling hours', 'Mass. Gen. Laws ch. 159C, § 3; 201 CMR 12.02(2)'),
    ('us-md-hours', 'US-MD', 'hours', '{1,2,3,4,5,6,7}', 480, 1200, 'Maryland calling hours', 'Md. Code, Com. Law § 14-4502'),
    ('us-ms-hours', 'US-MS', 'hours', '{1,2,3,4,5,6}', 480, 1200, 'Mississippi calling hours', 'Miss. Code § 77-3-723'),
    ('us-nm-hours', 'US-NM', 'hours', '{1,2,3,4,5,6,7}', 540, 1260, 'New Mexico calling hours', 'N.M. Stat. § 57-12-22(B)(5)'),
    ('us-ok-hours', 'US-OK', 'hours', '{1,2,3,4,5,6,7}', 480, 1200, 'Oklahoma calling hours', 'Okla. Stat. tit. 15, § 775C.4'),
    ('us-pa-hours', 'US-PA', 'hours', '{1,2,3,4,5,6,7}', 480, 1260, 'Pennsylvania calling hours', '73 P.S. § 2245(a)(1)'),
    ('us-ri-hours-week', 'US-RI', 'hours', '{1,2,3,4,5}', 540, 1080, 'Rhode Island calling hours', 'R.I. Gen. Laws §§ 5-61-2(9), 5-61-3.6'),
    ('us-ri-hours-saturday', 'US-RI', 'hours', '{6}', 600, 1020, 'Rhode Island calling hours on Saturdays', 'R.I. Gen. Laws §§ 5-61-2(9), 5-61-3.6'),
    ('us-tx-hours', 'US-TX', 'hours', '{1,2,3,4,5,6}', 540, 1260, 'Texas calling hours', 'Tex. Bus. & Com. Code § 301.051'),
    ('us-tx-hours-sunday', 'US-TX', 'hours', '{7}', 720, 1260, 'Texas calling hours on Sundays', 'Tex. Bus. & Com. Code § 301.051'),
    ('us-ut-hours', 'US-UT', 'hours', '{1,2,3,4,5,6}', 480, 1260, 'Utah calling hours', 'Utah Code § 13-25a-103(3)(a)'),
    ('us-wa-hours', 'US-WA', 'hours', '{1,2,3,4,5,6,7}', 480, 1200, 'Washington calling hours', 'RCW 80.36.390; RCW 19.158.040'),
    ('ca-hours-week', 'CA', 'hours', '{1,2,3,4,5}', 540, 1290, 'Canadian calling hours', 'CRTC Unsolicited Telecommunications Rules, Part III, s. 23'),
    ('ca-hours-weekend', 'CA', 'hours', '{6,7}', 600, 1080, 'Canadian calling hours at weekends', 'CRTC Unsolicited Telecommunications Rules, Part III, s. 23');

INSERT INTO outreach_rules (id, jurisdiction, kind, days, title, source) VALUES
    ('us-al-sunday', 'US-AL', 'no_contact', '{7}', 'Alabama: none on Sundays', 'Ala. Admin. Code r. 770-X-5-.17(1)(b)'),
    ('us-la-sunday', 'US-LA', 'no_contact', '{7}', 'Louisiana: none on Sundays', 'La. Pub. Serv. Comm''n General Order R-29617 § V(A)(2)'),
    ('us-ms-sunday', 'US-MS', 'no_contact', '{7}', 'Mississippi: none on Sundays', 'Miss. Code § 77-3-723'),
    ('us-ri-sunday', 'US-RI', 'no_contact', '{7}', 'Rhode Island: none on Sundays', 'R.I. Gen. Laws §§ 5-61-2(9), 5-61-3.6'),
    ('us-ut-sunday', 'US-UT', 'no_contact', '{7}', 'Utah: none on Sundays', 'Utah Code § 13-25a-103(3)(b)');

-- The lists are each state's legal holidays as its statutes name them; days proclaimed by a governor are quiet days of the
-- company's own, because nobody can know them in advance.
INSERT INTO outreach_rules (id, jurisdiction, kind, holidays, title, source) VALUES
    ('us-al-holidays', 'US-AL', 'holidays', '{new_year,king,washington,memorial,confederate_memorial,juneteenth,davis,independence,labor,columbus,veterans,thanksgiving,christmas}',
     'Alabama: none on holidays', 'Ala. Admin. Code r. 770-X-5-.17(1)(b); Ala. Code § 1-3-8'),
    ('us-la-holidays', 'US-LA', 'holidays', '{new_year,new_orleans,king,lee,washington,mardi_gras,good_friday,memorial,confederate_memorial_la,independence,long,labor,columbus,all_saints,veterans,thanksgiving,christmas}',
     'Louisiana: none on legal holidays', 'La. Pub. Serv. Comm''n General Order R-29617 § V(A)(2); La. R.S. 1:55'),
    ('us-pa-holidays', 'US-PA', 'holidays', '{new_year,king,washington,good_friday,memorial,flag,juneteenth,independence,labor,columbus,election,veterans,thanksgiving,christmas}',
     'Pennsylvania: none on legal holidays', '73 P.S. § 2245(a)(10); 44 P.S. § 11'),
    ('us-ri-holidays', 'US-RI', 'holidays', '{new_year,king,washington,ri_independence,memorial,juneteenth,independence,victory,labor,columbus,general_election,veterans,thanksgiving,christmas}',
     'Rhode Island: none on legal holidays', 'R.I. Gen. Laws §§ 5-61-2(9), 25-1-1'),
    ('us-ut-holidays', 'US-UT', 'holidays', '{new_year,king,washington,memorial,juneteenth,juneteenth_ut,independence,pioneer,labor,columbus,veterans,thanksgiving,christmas}',
     'Utah: none on legal holidays', 'Utah Code §§ 13-25a-103(3)(c), 63G-1-301');

INSERT INTO outreach_rules (id, jurisdiction, kind, channels, calls, within_hours, title, source) VALUES
    ('us-fl-frequency', 'US-FL', 'frequency', '{call}', 3, 24, 'Florida: three calls in 24 hours', 'Fla. Stat. § 501.616(6)(b)'),
    ('us-md-frequency', 'US-MD', 'frequency', '{call}', 3, 24, 'Maryland: three calls in 24 hours', 'Md. Code, Com. Law § 14-4502'),
    ('us-ok-frequency', 'US-OK', 'frequency', '{call}', 3, 24, 'Oklahoma: three calls in 24 hours', 'Okla. Stat. tit. 15, § 775C.4');

-- Western Easter of a year, by the calendar's own arithmetic (the anonymous Gregorian computus).
CREATE FUNCTION easter_sunday(p_year int) RETURNS date LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_golden int := p_year % 19;
    v_century int := p_year / 100;
    v_rest int := p_year % 100;
    v_epact int;
    v_shift int;
    v_late int;
BEGIN
    v_epact := (19 * v_golden + v_century - v_century / 4 - (v_century - (v_century + 8) / 25 + 1) / 3 + 15) % 30;
    v_shift := (32 + 2 * (v_century % 4) + 2 * (v_rest / 4) - v_epact - v_rest % 4) % 7;
    v_late := (v_golden + 11 * v_epact + 22 * v_shift) / 451;
    RETURN make_date(p_year, (v_epact + v_shift - 7 * v_late + 114) / 31, (v_epact + v_shift - 7 * v_late + 114) % 31 + 1);
END $$;

-- The nth (from the end when negative) weekday of a month, 1 Monday to 7 Sunday.
CREATE FUNCTION nth_weekday(p_year int, p_month int, p_weekday int, p_nth int) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN p_nth > 0
        THEN first + (p_weekday - extract(isodow FROM first)::int + 7) % 7 + 7 * (p_nth - 1)
        ELSE last - (extract(isodow FROM last)::int - p_weekday + 7) % 7 END
    FROM (SELECT make_date(p_year, p_month, 1) AS first,
                 (make_date(p_year, p_month, 1) + interval '1 month - 1 day')::date AS last) AS month
$$;

-- Twenty-five years of holidays. Of one on a weekend the day on which it is observed (Friday or Monday) counts as well.
WITH holidays AS (
    SELECT h.holiday, h.day, h.name FROM generate_series(2025, 2050) AS y,
    LATERAL (VALUES
        ('new_year', make_date(y, 1, 1), 'New Year''s Day'),
        ('new_orleans', make_date(y, 1, 8), 'Battle of New Orleans'),
        ('lee', make_date(y, 1, 19), 'Robert E. Lee Day'),
        ('king', nth_weekday(y, 1, 1, 3), 'Martin Luther King Jr. Day'),
        ('washington', nth_weekday(y, 2, 1, 3), 'Washington''s Birthday'),
        ('mardi_gras', easter_sunday(y) - 47, 'Mardi Gras'),
        ('good_friday', easter_sunday(y) - 2, 'Good Friday'),
        ('confederate_memorial', nth_weekday(y, 4, 1, 4), 'Confederate Memorial Day'),
        ('ri_independence', make_date(y, 5, 4), 'Rhode Island Independence Day'),
        ('memorial', nth_weekday(y, 5, 1, -1), 'Memorial Day'),
        ('davis', nth_weekday(y, 6, 1, 1), 'Jefferson Davis'' Birthday'),
        ('confederate_memorial_la', make_date(y, 6, 3), 'Confederate Memorial Day'),
        ('flag', make_date(y, 6, 14), 'Flag Day'),
        ('juneteenth', make_date(y, 6, 19), 'Juneteenth'),
        -- Utah keeps it on a Monday: the one before, or after a weekend the next.
        ('juneteenth_ut', make_date(y, 6, 19) + CASE extract(isodow FROM make_date(y, 6, 19))::int
            WHEN 6 THEN 2 WHEN 7 THEN 1 ELSE 1 - extract(isodow FROM make_date(y, 6, 19))::int END, 'Juneteenth'),
        ('independence', make_date(y, 7, 4), 'Independence Day'),
        ('pioneer', make_date(y, 7, 24), 'Pioneer Day'),
        ('victory', nth_weekday(y, 8, 1, 2), 'Victory Day'),
        ('long', make_date(y, 8, 30), 'Huey P. Long Day'),
        ('labor', nth_weekday(y, 9, 1, 1), 'Labor Day'),
        ('columbus', nth_weekday(y, 10, 1, 2), 'Columbus Day'),
        ('all_saints', make_date(y, 11, 1), 'All Saints'' Day'),
        ('election', nth_weekday(y, 11, 1, 1) + 1, 'Election Day'),
        ('general_election', CASE WHEN y % 2 = 0 THEN nth_weekday(y, 11, 1, 1) + 1 END, 'Election Day'),
        ('veterans', make_date(y, 11, 11), 'Veterans Day'),
        ('thanksgiving', nth_weekday(y, 11, 4, 4), 'Thanksgiving'),
        ('christmas', make_date(y, 12, 25), 'Christmas')
    ) AS h (holiday, day, name)
    WHERE h.day IS NOT NULL
)
INSERT INTO outreach_holidays (holiday, day, name)
SELECT holiday, day, name FROM holidays
UNION
SELECT holiday, day - 1, name || ' (observed)' FROM holidays WHERE extract(isodow FROM day) = 6
UNION
SELECT holiday, day + 1, name || ' (observed)' FROM holidays WHERE extract(isodow FROM day) = 7
ON CONFLICT DO NOTHING;

-- From libphonenumber's metadata: North American area codes with their state or province, every other country by its code.
-- Numbers of several digits' prefixes in one row share jurisdictions and zones.
INSERT INTO outreach_places (prefix, jurisdictions, zones)
SELECT p, string_to_array(v.jurisdictions, ' '), string_to_array(v.zones, ' ')
FROM (VALUES
    ('1268', 'AG', 'America/Antigua'),
    ('1264', 'AI', 'America/Anguilla'),
    ('1684', 'AS', 'Pacific/Pago_Pago'),
    ('1246', 'BB', 'America/Barbados'),
    ('1441', 'BM', 'Atlantic/Bermuda'),
    ('1242', 'BS', 'America/Nassau'),
    ('1368 1403 1587 1780 1825', 'CA CA-AB', 'America/Edmonton'),
    ('1250', 'CA CA-BC', 'America/Edmonton America/Vancouver'),
    ('1236 1257 1604 1672 1778', 'CA CA-BC', 'America/Vancouver'),
    ('1204 1431 1584', 'CA CA-MB', 'America/Winnipeg'),
    ('1428 1506', 'CA CA-NB', 'America/Halifax'),
    ('1709', 'CA CA-NL', 'America/Halifax America/St_Johns'),
    ('1879', 'CA CA-NL', 'America/Puerto_Rico America/St_Johns'),
    ('1782 1902', 'CA CA-NS CA-PE', 'America/Halifax'),
    ('1867', 'CA CA-NT CA-NU CA-YT', 'America/Edmonton America/Fort_Nelson America/Toronto America/Vancouver America/Winnipeg'),
    ('1226 1249 1289 1343 1365 1382 1416 1437 1519 1548 1613 1647 1683 1705 1742 1753 1905 1942', 'CA CA-ON', 'America/Toronto'),
    ('1807', 'CA CA-ON', 'America/Toronto America/Winnipeg'),
    ('1418', 'CA CA-QC', 'America/Halifax America/Toronto'),
    ('1263 1273 1354 1367 1438 1450 1468 1514 1579 1581 1819 1873', 'CA CA-QC', 'America/Toronto'),
    ('1306 1639', 'CA CA-SK', 'America/Regina'),
    ('1474', 'CA CA-SK', 'America/Winnipeg'),
    ('1767', 'DM', 'America/Dominica'),
    ('1809 1829 1849', 'DO', 'America/Santo_Domingo'),
    ('1473', 'GD', 'America/Grenada'),
    ('1671', 'GU', 'Pacific/Guam'),
    ('1658 1876', 'JM', 'America/Jamaica'),
    ('1869', 'KN', 'America/St_Kitts'),
    ('1345', 'KY', 'America/Cayman'),
    ('1758', 'LC', 'America/St_Lucia'),
    ('1670', 'MP', 'Pacific/Saipan'),
    ('1664', 'MS', 'America/Montserrat'),
    ('1787 1939', 'PR', 'America/Puerto_Rico'),
    ('1721', 'SX', 'America/Lower_Princes'),
    ('1649', 'TC', 'America/Grand_Turk'),
    ('1868', 'TT', 'America/Port_of_Spain'),
    ('1907', 'US US-AK', 'America/Adak America/Anchorage America/Juneau Pacific/Honolulu'),
    ('1205 1251 1256 1334 1659 1938', 'US US-AL', 'America/Chicago'),
    ('1327 1479 1501 1870', 'US US-AR', 'America/Chicago'),
    ('1928', 'US US-AZ', 'America/Denver America/Phoenix'),
    ('1480 1520 1602 1623', 'US US-AZ', 'America/Phoenix'),
    ('1209 1213 1279 1310 1323 1341 1350 1369 1408 1415 1424 1442 1510 1530 1559 1562 1619 1626 1628 1650 1657 1661 1669 1707 1714 1738 1747 1760 1805 1818 1820 1831 1840 1858 1909 1916 1925 1949 1951', 'US US-CA', 'America/Los_Angeles'),
    ('1303 1719 1720 1748 1970 1983', 'US US-CO', 'America/Denver'),
    ('1203 1475 1860 1959', 'US US-CT', 'America/New_York'),
    ('1202 1771', 'US US-DC', 'America/New_York'),
    ('1302', 'US US-DE', 'America/New_York'),
    ('1689', 'US US-FL', 'America/Chicago'),
    ('1850', 'US US-FL', 'America/Chicago America/New_York'),
    ('1239 1305 1321 1324 1352 1386 1407 1448 1561 1645 1656 1727 1728 1754 1772 1786 1813 1863 1904 1941 1954', 'US US-FL', 'America/New_York'),
    ('1229 1404 1470 1478 1678 1706 1762 1770 1912 1943', 'US US-GA', 'America/New_York'),
    ('1808', 'US US-HI', 'Pacific/Honolulu'),
    ('1319 1515 1563 1641 1712', 'US US-IA', 'America/Chicago'),
    ('1208', 'US US-ID', 'America/Boise America/Denver America/Los_Angeles'),
    ('1986', 'US US-ID', 'America/Boise America/Los_Angeles'),
    ('1217 1224 1309 1312 1331 1447 1464 1618 1630 1708 1730 1773 1779 1815 1847 1872', 'US US-IL', 'America/Chicago'),
    ('1219 1574 1812', 'US US-IN', 'America/Chicago America/New_York'),
    ('1260 1317 1463 1765 1930', 'US US-IN', 'America/New_York'),
    ('1316 1913', 'US US-KS', 'America/Chicago'),
    ('1620 1785', 'US US-KS', 'America/Chicago America/Denver'),
    ('1270 1606', 'US US-KY', 'America/Chicago America/New_York'),
    ('1364 1502 1859', 'US US-KY', 'America/New_York'),
    ('1225 1318 1337 1504 1985', 'US US-LA', 'America/Chicago'),
    ('1339 1351 1413 1508 1617 1774 1781 1857 1978', 'US US-MA', 'America/New_York'),
    ('1227 1240 1301 1410 1443 1667', 'US US-MD', 'America/New_York'),
    ('1207', 'US US-ME', 'America/New_York'),
    ('1906', 'US US-MI', 'America/Chicago America/New_York'),
    ('1231 1248 1269 1313 1517 1586 1616 1734 1810 1947 1989', 'US US-MI', 'America/New_York'),
    ('1218 1320 1507 1612 1651 1763 1952', 'US US-MN', 'America/Chicago'),
    ('1235 1314 1417 1557 1573 1636 1660 1816 1975', 'US US-MO', 'America/Chicago'),
    ('1228 1601 1662 1769', 'US US-MS', 'America/Chicago'),
    ('1406', 'US US-MT', 'America/Denver'),
    ('1252 1336 1472 1704 1743 1828 1910 1919 1980 1984', 'US US-NC', 'America/New_York'),
    ('1701', 'US US-ND', 'America/Chicago America/Denver America/North_Dakota/Center'),
    ('1402 1531', 'US US-NE', 'America/Chicago'),
    ('1308', 'US US-NE', 'America/Chicago America/Denver'),
    ('1603', 'US US-NH', 'America/New_York'),
    ('1201 1551 1609 1640 1732 1848 1856 1862 1908 1973', 'US US-NJ', 'America/New_York'),
    ('1505 1575', 'US US-NM', 'America/Denver'),
    ('1775', 'US US-NV', 'America/Boise America/Denver America/Los_Angeles'),
    ('1702 1725', 'US US-NV', 'America/Los_Angeles'),
    ('1212 1315 1329 1332 1347 1363 1516 1518 1585 1607 1631 1646 1680 1716 1718 1838 1845 1914 1917 1929 1934', 'US US-NY', 'America/New_York'),
    ('1216 1220 1234 1283 1326 1330 1380 1419 1440 1513 1567 1614 1740 1937', 'US US-OH', 'America/New_York'),
    ('1405 1539 1572 1580 1918', 'US US-OK', 'America/Chicago'),
    ('1541', 'US US-OR', 'America/Denver America/Los_Angeles'),
    ('1458 1503 1971', 'US US-OR', 'America/Los_Angeles'),
    ('1215 1223 1267 1272 1412 1445 1484 1570 1582 1610 1717 1724 1814 1835 1878', 'US US-PA', 'America/New_York'),
    ('1401', 'US US-RI', 'America/New_York'),
    ('1803 1821 1839 1843 1854 1864', 'US US-SC', 'America/New_York'),
    ('1605', 'US US-SD', 'America/Chicago America/Denver America/North_Dakota/Center'),
    ('1615 1629 1731 1901 1931', 'US US-TN', 'America/Chicago'),
    ('1423', 'US US-TN', 'America/Chicago America/New_York'),
    ('1865', 'US US-TN', 'America/New_York'),
    ('1210 1214 1254 1281 1325 1346 1361 1409 1430 1432 1469 1512 1682 1713 1726 1737 1806 1817 1830 1832 1903 1936 1940 1945 1956 1972 1979', 'US US-TX', 'America/Chicago'),
    ('1915', 'US US-TX', 'America/Denver'),
    ('1385 1435 1801', 'US US-UT', 'America/Denver'),
    ('1276 1434 1540 1571 1686 1703 1757 1804 1826 1948', 'US US-VA', 'America/New_York'),
    ('1802', 'US US-VT', 'America/New_York'),
    ('1206 1253 1360 1425 1509 1564', 'US US-WA', 'America/Los_Angeles'),
    ('1262 1274 1353 1414 1534 1608 1715 1920', 'US US-WI', 'America/Chicago'),
    ('1304 1681', 'US US-WV', 'America/New_York'),
    ('1307', 'US US-WY', 'America/Denver'),
    ('1784', 'VC', 'America/St_Vincent'),
    ('1284', 'VG', 'America/Tortola'),
    ('1340', 'VI', 'America/St_Thomas'),
    ('7', 'RU KZ', 'Asia/Almaty Asia/Anadyr Asia/Aqtobe Asia/Irkutsk Asia/Kamchatka Asia/Krasnoyarsk Asia/Magadan Asia/Novosibirsk Asia/Omsk Asia/Sakhalin Asia/Vladivostok Asia/Yakutsk Asia/Yekaterinburg Europe/Bucharest Europe/Moscow Europe/Samara'),
    ('20', 'EG', 'Africa/Cairo'),
    ('27', 'ZA', 'Africa/Johannesburg'),
    ('30', 'GR', 'Europe/Athens'),
    ('31', 'NL', 'Europe/Amsterdam'),
    ('32', 'BE', 'Europe/Brussels'),
    ('33', 'FR', 'Europe/Paris'),
    ('34', 'ES', 'Atlantic/Canary Europe/Madrid'),
    ('36', 'HU', 'Europe/Budapest'),
    ('39', 'IT VA', 'Europe/Rome Europe/Vatican'),
    ('40', 'RO', 'Europe/Bucharest'),
    ('41', 'CH', 'Europe/Zurich'),
    ('43', 'AT', 'Europe/Vienna'),
    ('44', 'GB GG IM JE', 'Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London'),
    ('45', 'DK', 'Europe/Copenhagen'),
    ('46', 'SE', 'Europe/Stockholm'),
    ('47', 'NO SJ', 'Arctic/Longyearbyen Europe/Oslo'),
    ('48', 'PL', 'Europe/Warsaw'),
    ('49', 'DE', 'Europe/Berlin'),
    ('51', 'PE', 'America/Lima'),
    ('52', 'MX', 'America/Cancun America/Ciudad_Juarez America/Matamoros America/Mazatlan America/Mexico_City America/New_York America/Ojinaga America/Tijuana'),
    ('53', 'CU', 'America/Havana'),
    ('54', 'AR', 'America/Buenos_Aires'),
    ('55', 'BR', 'America/Manaus America/Noronha America/Rio_Branco America/Sao_Paulo'),
    ('56', 'CL', 'America/Santiago'),
    ('57', 'CO', 'America/Bogota'),
    ('58', 'VE', 'America/Caracas'),
    ('60', 'MY', 'Asia/Kuching'),
    ('61', 'AU CC CX', 'Australia/Adelaide Australia/Brisbane Australia/Eucla Australia/Lord_Howe Australia/Perth Australia/Sydney Indian/Christmas Indian/Cocos'),
    ('62', 'ID', 'Asia/Jakarta Asia/Jayapura Asia/Makassar'),
    ('63', 'PH', 'Asia/Manila'),
    ('64', 'NZ', 'Pacific/Auckland Pacific/Chatham'),
    ('65', 'SG', 'Asia/Singapore'),
    ('66', 'TH', 'Asia/Bangkok'),
    ('81', 'JP', 'Asia/Tokyo'),
    ('82', 'KR', 'Asia/Seoul'),
    ('84', 'VN', 'Asia/Ho_Chi_Minh'),
    ('86', 'CN', 'Asia/Shanghai'),
    ('90', 'TR', 'Europe/Istanbul'),
    ('91', 'IN', 'Asia/Calcutta'),
    ('92', 'PK', 'Asia/Karachi'),
    ('93', 'AF', 'Asia/Kabul'),
    ('94', 'LK', 'Asia/Colombo'),
    ('95', 'MM', 'Asia/Rangoon'),
    ('98', 'IR', 'Asia/Tehran'),
    ('211', 'SS', 'Africa/Nairobi'),
    ('212', 'MA EH', 'Atlantic/Canary'),
    ('213', 'DZ', 'Europe/Paris'),
    ('216', 'TN', 'Africa/Tunis'),
    ('218', 'LY', 'Europe/Bucharest'),
    ('220', 'GM', 'Africa/Banjul'),
    ('221', 'SN', 'Africa/Dakar'),
    ('222', 'MR', 'Africa/Nouakchott'),
    ('223', 'ML', 'Africa/Bamako'),
    ('224', 'GN', 'Africa/Conakry'),
    ('225', 'CI', 'Africa/Abidjan'),
    ('226', 'BF', 'Africa/Ouagadougou'),
    ('227', 'NE', 'Africa/Niamey'),
    ('228', 'TG', 'Africa/Lome'),
    ('229', 'BJ', 'Africa/Porto-Novo'),
    ('230', 'MU', 'Indian/Mauritius'),
    ('231', 'LR', 'Atlantic/Reykjavik'),
    ('232', 'SL', 'Africa/Freetown'),
    ('233', 'GH', 'Africa/Accra'),
    ('234', 'NG', 'Africa/Lagos'),
    ('235', 'TD', 'Africa/Ndjamena'),
    ('236', 'CF', 'Africa/Bangui'),
    ('237', 'CM', 'Africa/Douala'),
    ('238', 'CV', 'Atlantic/Cape_Verde'),
    ('239', 'ST', 'Africa/Sao_Tome'),
    ('240', 'GQ', 'Africa/Malabo'),
    ('241', 'GA', 'Africa/Libreville'),
    ('242', 'CG', 'Africa/Brazzaville'),
    ('243', 'CD', 'Africa/Kinshasa Africa/Lubumbashi'),
    ('244', 'AO', 'Africa/Luanda'),
    ('245', 'GW', 'Atlantic/Reykjavik'),
    ('246', 'IO', 'Indian/Chagos'),
    ('247', 'AC', 'Atlantic/St_Helena'),
    ('248', 'SC', 'Indian/Mahe'),
    ('249', 'SD', 'Africa/Khartoum'),
    ('250', 'RW', 'Africa/Kigali'),
    ('251', 'ET', 'Africa/Addis_Ababa'),
    ('252', 'SO', 'Africa/Mogadishu'),
    ('253', 'DJ', 'Africa/Djibouti'),
    ('254', 'KE', 'Africa/Nairobi'),
    ('255', 'TZ', 'Africa/Dar_es_Salaam'),
    ('256', 'UG', 'Africa/Kampala'),
    ('257', 'BI', 'Africa/Bujumbura'),
    ('258', 'MZ', 'Africa/Maputo'),
    ('260', 'ZM', 'Africa/Lusaka'),
    ('261', 'MG', 'Indian/Antananarivo'),
    ('262', 'RE YT', 'Indian/Mayotte Indian/Reunion'),
    ('263', 'ZW', 'Africa/Harare'),
    ('264', 'NA', 'Africa/Windhoek'),
    ('265', 'MW', 'Africa/Blantyre'),
    ('266', 'LS', 'Africa/Maseru'),
    ('267', 'BW', 'Africa/Gaborone'),
    ('268', 'SZ', 'Africa/Mbabane'),
    ('269', 'KM', 'Indian/Comoro'),
    ('290', 'SH TA', 'Atlantic/St_Helena'),
    ('291', 'ER', 'Africa/Asmera'),
    ('297', 'AW', 'America/Aruba'),
    ('298', 'FO', 'Atlantic/Faeroe'),
    ('299', 'GL', 'America/Godthab America/Scoresbysund America/Thule'),
    ('350', 'GI', 'Europe/Gibraltar'),
    ('351', 'PT', 'Atlantic/Azores Europe/Lisbon'),
    ('352', 'LU', 'Europe/Luxembourg'),
    ('353', 'IE', 'Europe/Guernsey Europe/Isle_of_Man Europe/London'),
    ('354', 'IS', 'Atlantic/Reykjavik'),
    ('355', 'AL', 'Europe/Tirane'),
    ('356', 'MT', 'Europe/Malta'),
    ('357', 'CY', 'Asia/Nicosia'),
    ('358', 'FI AX', 'Europe/Helsinki Europe/Mariehamn'),
    ('359', 'BG', 'Europe/Sofia'),
    ('370', 'LT', 'Europe/Bucharest'),
    ('371', 'LV', 'Europe/Bucharest'),
    ('372', 'EE', 'Europe/Bucharest'),
    ('373', 'MD', 'Europe/Chisinau'),
    ('374', 'AM', 'Asia/Yerevan'),
    ('375', 'BY', 'Europe/Moscow'),
    ('376', 'AD', 'Europe/Andorra'),
    ('377', 'MC', 'Europe/Monaco'),
    ('378', 'SM', 'Europe/San_Marino'),
    ('380', 'UA', 'Europe/Kyiv'),
    ('381', 'RS', 'Europe/Belgrade'),
    ('382', 'ME', 'Europe/Podgorica'),
    ('383', 'XK', 'Europe/Belgrade'),
    ('385', 'HR', 'Europe/Zagreb'),
    ('386', 'SI', 'Europe/Ljubljana'),
    ('387', 'BA', 'Europe/Sarajevo'),
    ('389', 'MK', 'Europe/Skopje'),
    ('420', 'CZ', 'Europe/Prague'),
    ('421', 'SK', 'Europe/Bratislava'),
    ('423', 'LI', 'Europe/Vaduz'),
    ('500', 'FK', 'Atlantic/Stanley'),
    ('501', 'BZ', 'America/Belize'),
    ('502', 'GT', 'America/Guatemala'),
    ('503', 'SV', 'America/El_Salvador'),
    ('504', 'HN', 'America/Tegucigalpa'),
    ('505', 'NI', 'America/Chicago'),
    ('506', 'CR', 'America/Costa_Rica'),
    ('507', 'PA', 'America/Panama'),
    ('508', 'PM', 'America/Miquelon'),
    ('509', 'HT', 'America/Port-au-Prince'),
    ('590', 'GP BL MF', 'America/Guadeloupe'),
    ('591', 'BO', 'America/La_Paz'),
    ('592', 'GY', 'America/Guyana'),
    ('593', 'EC', 'America/Guayaquil Pacific/Galapagos'),
    ('594', 'GF', 'America/Cayenne'),
    ('595', 'PY', 'America/Asuncion'),
    ('596', 'MQ', 'America/Martinique'),
    ('597', 'SR', 'America/Paramaribo'),
    ('598', 'UY', 'America/Montevideo'),
    ('599', 'CW BQ', 'America/Curacao America/Kralendijk'),
    ('670', 'TL', 'Asia/Dili'),
    ('672', 'NF', 'Pacific/Norfolk'),
    ('673', 'BN', 'Asia/Brunei'),
    ('674', 'NR', 'Pacific/Nauru'),
    ('675', 'PG', 'Pacific/Port_Moresby'),
    ('676', 'TO', 'Pacific/Tongatapu'),
    ('677', 'SB', 'Pacific/Guadalcanal'),
    ('678', 'VU', 'Pacific/Efate'),
    ('679', 'FJ', 'Pacific/Fiji'),
    ('680', 'PW', 'Pacific/Palau'),
    ('681', 'WF', 'Pacific/Wallis'),
    ('682', 'CK', 'Pacific/Rarotonga'),
    ('683', 'NU', 'Pacific/Niue'),
    ('685', 'WS', 'Pacific/Apia'),
    ('686', 'KI', 'Pacific/Enderbury Pacific/Kiritimati Pacific/Tarawa'),
    ('687', 'NC', 'Pacific/Noumea'),
    ('688', 'TV', 'Pacific/Funafuti'),
    ('689', 'PF', 'Pacific/Gambier Pacific/Marquesas Pacific/Tahiti'),
    ('690', 'TK', 'Pacific/Fakaofo'),
    ('691', 'FM', 'Pacific/Kosrae Pacific/Ponape Pacific/Truk'),
    ('692', 'MH', 'Pacific/Majuro'),
    ('850', 'KP', 'Asia/Seoul'),
    ('852', 'HK', 'Asia/Hong_Kong'),
    ('853', 'MO', 'Asia/Shanghai'),
    ('855', 'KH', 'Asia/Phnom_Penh'),
    ('856', 'LA', 'Asia/Vientiane'),
    ('880', 'BD', 'Asia/Dhaka'),
    ('886', 'TW', 'Asia/Taipei'),
    ('960', 'MV', 'Indian/Maldives'),
    ('961', 'LB', 'Asia/Beirut'),
    ('962', 'JO', 'Asia/Amman'),
    ('963', 'SY', 'Asia/Damascus'),
    ('964', 'IQ', 'Asia/Baghdad'),
    ('965', 'KW', 'Asia/Kuwait'),
    ('966', 'SA', 'Asia/Riyadh'),
    ('967', 'YE', 'Asia/Aden'),
    ('968', 'OM', 'Asia/Muscat'),
    ('970', 'PS', 'Europe/Bucharest'),
    ('971', 'AE', 'Asia/Dubai'),
    ('972', 'IL', 'Asia/Jerusalem'),
    ('973', 'BH', 'Asia/Bahrain'),
    ('974', 'QA', 'Asia/Qatar'),
    ('975', 'BT', 'Asia/Thimphu'),
    ('976', 'MN', 'Asia/Choibalsan Asia/Hovd Asia/Ulaanbaatar'),
    ('977', 'NP', 'Asia/Katmandu'),
    ('992', 'TJ', 'Asia/Dushanbe'),
    ('993', 'TM', 'Asia/Ashgabat'),
    ('994', 'AZ', 'Asia/Baku'),
    ('995', 'GE', 'Asia/Tbilisi'),
    ('996', 'KG', 'Asia/Bishkek'),
    ('998', 'UZ', 'Asia/Tashkent')
) AS v (prefixes, jurisdictions, zones), LATERAL string_to_table(v.prefixes, ' ') AS p;

-- Toll-free numbers stand nowhere: no state's rule, and the fifty states' zones from end to end.
INSERT INTO outreach_places (prefix, jurisdictions, zones, geographic)
SELECT '1' || p, '{US}', '{America/New_York,America/Chicago,America/Denver,America/Los_Angeles,America/Anchorage,Pacific/Honolulu}', false
FROM string_to_table('800 833 844 855 866 877 888', ' ') AS p;

CREATE TABLE permit_settings (
    tenant_id                   uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    calls_per_contact_per_day   int DEFAULT 3 CONSTRAINT permit_settings_day_cap CHECK (calls_per_contact_per_day BETWEEN 1 AND 100),
    calls_per_contact_per_week  int DEFAULT 7 CONSTRAINT permit_settings_week_cap CHECK (calls_per_contact_per_week BETWEEN 1 AND 500),
    hours_start                 int NOT NULL DEFAULT 480,
    hours_end                   int NOT NULL DEFAULT 1260,
    days                        int[] NOT NULL DEFAULT '{1,2,3,4,5,6,7}',
    abroad_start                int NOT NULL DEFAULT 540,
    abroad_end                  int NOT NULL DEFAULT 1200,
    abroad_days                 int[] NOT NULL DEFAULT '{1,2,3,4,5,6}',
    require_consent             boolean NOT NULL DEFAULT false,
    practice                    boolean NOT NULL DEFAULT false,
    updated_at                  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT permit_settings_hours CHECK (hours_start BETWEEN 0 AND 1425 AND hours_end BETWEEN 15 AND 1440
        AND hours_start < hours_end AND hours_start % 15 = 0 AND hours_end % 15 = 0),
    CONSTRAINT permit_settings_abroad CHECK (abroad_start BETWEEN 0 AND 1425 AND abroad_end BETWEEN 15 AND 1440
        AND abroad_start < abroad_end AND abroad_start % 15 = 0 AND abroad_end % 15 = 0)
);

CREATE TABLE quiet_days (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    day         date NOT NULL,
    name        text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, day)
);

-- Whom not to reach: a number, an address, a domain, a company (by the name that stands on the contact), or a contact (its id as
-- text). What a contact has said themselves (`own_word`) nobody overrides.
CREATE TABLE suppressions (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    kind        text NOT NULL CONSTRAINT suppressions_kind_known CHECK (kind IN ('phone', 'email', 'domain', 'contact', 'company')),
    value_lc    text COLLATE "C" NOT NULL CONSTRAINT suppressions_value_length CHECK (length(value_lc) BETWEEN 1 AND 320),
    channel     text NOT NULL DEFAULT 'all' CONSTRAINT suppressions_channel_known CHECK (channel IN ('all', 'call', 'sms', 'email')),
    reason      text NOT NULL DEFAULT '',
    source      text NOT NULL DEFAULT 'person' CONSTRAINT suppressions_source_known
                CHECK (source IN ('person', 'contact', 'stop', 'disposition', 'bounce', 'list', 'unsubscribe', 'complaint')),
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT suppressions_once UNIQUE (tenant_id, kind, value_lc, channel),
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX suppressions_newest ON suppressions (tenant_id, created_at, id);
CREATE INDEX suppressions_by_kind ON suppressions (tenant_id, kind, created_at, id);
CREATE INDEX suppressions_by_value ON suppressions (tenant_id, value_lc);

CREATE TABLE consents (
    tenant_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    channel     text NOT NULL CONSTRAINT consents_channel_known CHECK (channel IN ('call', 'sms', 'email')),
    state       text NOT NULL CONSTRAINT consents_state_known CHECK (state IN ('granted', 'denied', 'unknown')),
    source      text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT now(),
    by_user_id  uuid,
    PRIMARY KEY (tenant_id, contact_id, channel),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, by_user_id) REFERENCES members (tenant_id, user_id)
);

-- The log of decisions. A row is never changed but for being used.
CREATE TABLE permits (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    contact_id      uuid NOT NULL,
    channel         text NOT NULL CONSTRAINT permits_channel_known CHECK (channel IN ('call', 'sms', 'email')),
    address         text NOT NULL,
    user_id         uuid,
    allowed         boolean NOT NULL,
    code            text NOT NULL,
    explanation     text NOT NULL,
    rule_version    text NOT NULL,
    facts           jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    used_at         timestamptz,
    next_allowed_at timestamptz,
    override_by     uuid,
    override_reason text,
    queue_item_id   uuid,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT permits_override_is_whole CHECK ((override_by IS NULL) = (override_reason IS NULL)),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, override_by) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX permits_newest ON permits (tenant_id, created_at, id);
CREATE INDEX permits_of_contact ON permits (tenant_id, contact_id, created_at, id);
CREATE INDEX permits_refused ON permits (tenant_id, created_at, id) WHERE NOT allowed;

-- Calls by the number that was called: a number may stand on several contacts, and it is the number that rings.
CREATE INDEX calls_to_number ON calls (tenant_id, to_number, created_at);

-- Who is busy with a contact. Held by beats, or by a live call.
CREATE TABLE leases (
    tenant_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    user_id     uuid NOT NULL,
    purpose     text NOT NULL CONSTRAINT leases_purpose_known CHECK (purpose IN ('call', 'email', 'sms', 'dialer')),
    taken_at    timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL,
    call_id     uuid,
    PRIMARY KEY (tenant_id, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id)
);
CREATE INDEX leases_of_user ON leases (tenant_id, user_id);
CREATE INDEX leases_by_age ON leases (lease_until);

SELECT protect_table(t) FROM unnest(ARRAY['permit_settings', 'quiet_days', 'suppressions', 'consents', 'permits', 'leases']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON permit_settings, consents, permits TO ringside_app;
GRANT SELECT, INSERT, DELETE ON quiet_days TO ringside_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON suppressions, leases TO ringside_app;
GRANT SELECT ON leases TO ringside_system;
SELECT open_table_to('leases', 'ringside_system');

-- Leases of any company that nobody holds any more: no beat, and no live call.
CREATE FUNCTION leases_lost(p_limit int) RETURNS TABLE (tenant_id uuid, contact_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.tenant_id, l.contact_id FROM leases l
    WHERE l.lease_until <= clock_timestamp()
      AND NOT EXISTS (SELECT FROM calls c WHERE c.tenant_id = l.tenant_id AND c.id = l.call_id
                      AND c.state IN ('queued', 'dialing', 'ringing', 'in_progress'))
    ORDER BY l.lease_until LIMIT p_limit
$$;
SELECT give_to_system('leases_lost(int)');

-- A number that is North American and no area code we know (500, 900 and their like) may be anywhere in the fifty states, and
-- under each of their rules.
INSERT INTO outreach_places (prefix, jurisdictions, zones, geographic)
SELECT '1', (SELECT array_agg(DISTINCT r.jurisdiction) FROM outreach_rules r WHERE r.jurisdiction LIKE 'US%'), p.zones, false
FROM outreach_places p WHERE p.prefix = '1800';

-- What the law says about a number: where it may be, and for each ISO weekday the latest opening and the earliest closing of all
-- its rules with the rule that decides. `ruled` is false where none of its jurisdictions has hours here. No row for digits that
-- belong to no country.
CREATE FUNCTION outreach_law(p_number text, p_channel text) RETURNS TABLE (
    jurisdictions text[], zones text[], geographic boolean, ruled boolean, opens int[], open_rules text[], closes int[],
    close_rules text[], shut_rules text[], holidays text[], caps int[], cap_hours int[], cap_rules text[])
LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH place AS (
        SELECT p.jurisdictions, p.zones, p.geographic FROM outreach_places p
        WHERE p.prefix IN (substr(p_number, 2, 4), substr(p_number, 2, 3), substr(p_number, 2, 2), substr(p_number, 2, 1))
        ORDER BY length(p.prefix) DESC LIMIT 1
    ), rules AS (
        SELECT r.* FROM outreach_rules r, place
        WHERE r.jurisdiction = ANY (place.jurisdictions) AND p_channel = ANY (r.channels)
    ), week AS (
        SELECT d.day,
               (SELECT (array_agg(r.id ORDER BY r.opens DESC, r.id))[1] FROM rules r WHERE r.kind = 'hours' AND d.day = ANY (r.days)) AS open_rule,
               (SELECT max(r.opens) FROM rules r WHERE r.kind = 'hours' AND d.day = ANY (r.days)) AS opens,
               (SELECT (array_agg(r.id ORDER BY r.closes, r.id))[1] FROM rules r WHERE r.kind = 'hours' AND d.day = ANY (r.days)) AS close_rule,
               (SELECT min(r.closes) FROM rules r WHERE r.kind = 'hours' AND d.day = ANY (r.days)) AS closes,
               (SELECT min(r.id) FROM rules r WHERE r.kind = 'no_contact' AND d.day = ANY (r.days)) AS shut_rule
        FROM generate_series(1, 7) AS d (day)
    ), days AS (
        SELECT array_agg(w.opens ORDER BY w.day) AS opens, array_agg(w.open_rule ORDER BY w.day) AS open_rules,
               array_agg(w.closes ORDER BY w.day) AS closes, array_agg(w.close_rule ORDER BY w.day) AS close_rules,
               array_agg(w.shut_rule ORDER BY w.day) AS shut_rules
        FROM week w
    )
    SELECT place.jurisdictions, place.zones, place.geographic,
           EXISTS (SELECT FROM rules r WHERE r.kind = 'hours'),
           days.opens, days.open_rules, days.closes, days.close_rules, days.shut_rules,
           (SELECT array_agg(h) FROM rules r, unnest(r.holidays) AS h WHERE r.kind = 'holidays'),
           (SELECT array_agg(r.calls ORDER BY r.id) FROM rules r WHERE r.kind = 'frequency'),
           (SELECT array_agg(r.within_hours ORDER BY r.id) FROM rules r WHERE r.kind = 'frequency'),
           (SELECT array_agg(r.id ORDER BY r.id) FROM rules r WHERE r.kind = 'frequency')
    FROM place, days
$$;

-- The dates of these holidays in a span; and what is kept on a day, with the sources of whoever keeps it.
CREATE FUNCTION outreach_holiday_dates(p_holidays text[], p_from date, p_to date) RETURNS date[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT array_agg(DISTINCT h.day) FROM outreach_holidays h WHERE h.day BETWEEN p_from AND p_to AND h.holiday = ANY (p_holidays)
$$;

CREATE FUNCTION outreach_holiday_said(p_jurisdictions text[], p_day date) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT min(h.name) || ' (' || string_agg(DISTINCT r.source, '; ') || ')'
    FROM outreach_rules r JOIN outreach_holidays h ON h.holiday = ANY (r.holidays)
    WHERE r.kind = 'holidays' AND r.jurisdiction = ANY (p_jurisdictions) AND h.day = p_day
$$;

-- The sources of rules, as they are cited.
CREATE FUNCTION outreach_sources(p_rules text[]) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT string_agg(DISTINCT r.source, '; ') FROM outreach_rules r WHERE r.id = ANY (p_rules)
$$;

-- All rules, for people to read.
CREATE FUNCTION outreach_rules_json() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT json_build_object('version', outreach_rule_version(), 'data', json_agg(json_build_object(
        'id', r.id, 'jurisdiction', r.jurisdiction, 'kind', r.kind, 'channels', r.channels, 'days', r.days, 'opens', r.opens,
        'closes', r.closes, 'calls', r.calls, 'within_hours', r.within_hours, 'title', r.title, 'source', r.source,
        'holidays', (SELECT json_agg(n.name ORDER BY n.month, n.day) FROM (
            SELECT h.holiday, min(h.name) AS name, min(extract(month FROM h.day)) AS month, min(extract(day FROM h.day)) AS day
            FROM outreach_holidays h WHERE h.holiday = ANY (r.holidays) AND h.name NOT LIKE '%(observed)' GROUP BY h.holiday) AS n)
    ) ORDER BY r.jurisdiction, r.id))::text
    FROM outreach_rules r
$$;
SELECT give_to_system(f) FROM unnest(ARRAY[
    'outreach_law(text,text)', 'outreach_holiday_dates(text[],date,date)', 'outreach_holiday_said(text[],date)',
    'outreach_sources(text[])', 'outreach_rules_json()'
]::regprocedure[]) AS f;

-- A company's settings, or what holds where it has set none.
CREATE FUNCTION permit_settings_now() RETURNS permit_settings
LANGUAGE sql STABLE AS $$
    SELECT s FROM (
        SELECT s FROM permit_settings s WHERE s.tenant_id = current_setting('ringside.tenant_id')::uuid
        UNION ALL
        SELECT ROW(current_setting('ringside.tenant_id')::uuid, 3, 7, 480, 1260, '{1,2,3,4,5,6,7}'::int[], 540, 1200,
                   '{1,2,3,4,5,6}'::int[], false, false, '-infinity'::timestamptz)::permit_settings
    ) AS found LIMIT 1
$$;

-- The first moment, from p_from on, at which every zone's wall clock is inside its day's hours and its date is none of p_shut; NULL
-- when there is none within 30 days. p_opens and p_closes are minutes by ISO weekday, quarters of an hour; a day with opens >= closes
-- is shut. Between moments of certainty it leaps by the wall clock; across a change of clocks it feels its way by quarters.
CREATE FUNCTION outreach_opens_at(p_zones text[], p_opens int[], p_closes int[], p_shut date[], p_from timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_at timestamptz := p_from;
    v_moved boolean := true;
    v_zone text;
    v_wall timestamp;
    v_day date;
    v_weekday int;
    v_minute int;
    v_open_wall timestamp;
    v_leap timestamptz;
BEGIN
    WHILE v_moved LOOP
        v_moved := false;
        FOREACH v_zone IN ARRAY p_zones LOOP
            v_wall := v_at AT TIME ZONE v_zone;
            v_day := v_wall::date;
            v_weekday := extract(isodow FROM v_day);
            v_minute := extract(hour FROM v_wall) * 60 + extract(minute FROM v_wall);
            IF v_minute >= p_opens[v_weekday] AND v_minute < p_closes[v_weekday] AND v_day <> ALL (p_shut) THEN
                CONTINUE;
            END IF;
            v_moved := true;
            IF v_minute >= p_opens[v_weekday] OR p_opens[v_weekday] >= p_closes[v_weekday] OR v_day = ANY (p_shut) THEN
                LOOP
                    v_day := v_day + 1;
                    v_weekday := v_weekday % 7 + 1;
                    EXIT WHEN p_opens[v_weekday] < p_closes[v_weekday] AND v_day <> ALL (p_shut);
                    IF v_day > p_from::date + 32 THEN
                        RETURN NULL;
                    END IF;
                END LOOP;
            END IF;
            v_open_wall := v_day + p_opens[v_weekday] * interval '1 minute';
            v_leap := v_open_wall AT TIME ZONE v_zone;
            IF v_leap - v_at <> v_open_wall - v_wall OR v_leap AT TIME ZONE v_zone <> v_open_wall THEN
                v_leap := date_bin('15 minutes', v_at, timestamptz '2000-01-01Z') + interval '15 minutes';
            END IF;
            v_at := v_leap;
            IF v_at > p_from + interval '30 days' THEN
                RETURN NULL;
            END IF;
            EXIT;
        END LOOP;
    END LOOP;
    RETURN v_at;
END $$;

-- How long it stays open, for a moment at which it is: the earliest closing of all zones' days.
CREATE FUNCTION outreach_closes_at(p_zones text[], p_opens int[], p_closes int[], p_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_zone text;
    v_wall timestamp;
    v_open_wall timestamp;
    v_close_wall timestamp;
    v_close timestamptz;
    v_first timestamptz;
BEGIN
    FOREACH v_zone IN ARRAY p_zones LOOP
        v_wall := p_at AT TIME ZONE v_zone;
        v_open_wall := v_wall::date + p_opens[extract(isodow FROM v_wall)::int] * interval '1 minute';
        v_close_wall := v_wall::date + p_closes[extract(isodow FROM v_wall)::int] * interval '1 minute';
        v_close := v_close_wall AT TIME ZONE v_zone;
        IF v_close - p_at <> v_close_wall - v_wall OR v_close AT TIME ZONE v_zone <> v_close_wall THEN
            -- The clocks change before it closes: the first quarter that is outside.
            v_close := date_bin('15 minutes', p_at, timestamptz '2000-01-01Z') + interval '15 minutes';
            -- An hour that is lived twice may begin anew before the opening.
            WHILE v_close AT TIME ZONE v_zone >= v_open_wall AND v_close AT TIME ZONE v_zone < v_close_wall LOOP
                v_close := v_close + interval '15 minutes';
            END LOOP;
        END IF;
        v_first := least(v_first, v_close);
    END LOOP;
    RETURN v_first;
END $$;

-- A place's name as people say it, from its zone.
CREATE FUNCTION zone_name(p_zone text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT replace(split_part(p_zone, '/', -1), '_', ' ')
$$;

-- " in Los Angeles" for one of several zones whose clocks differ, or the only one; " there" where all show the same.
CREATE FUNCTION place_said(p_zones text[], p_zone text, p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN count(*) > 1 AND count(DISTINCT p_at AT TIME ZONE z) = 1 THEN ' there' ELSE ' in ' || zone_name(p_zone) END
    FROM unnest(p_zones) AS z
$$;

-- "07:12 in Los Angeles and 10:12 in New York"; of more than two places the earliest and the latest.
CREATE FUNCTION local_times(p_zones text[], p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN count(DISTINCT t.wall) = 1 THEN min(t.said)
                ELSE (array_agg(t.said ORDER BY t.wall))[1] || CASE WHEN count(*) > 2 THEN ' to ' ELSE ' and ' END
                     || (array_agg(t.said ORDER BY t.wall DESC))[1] END
    FROM (SELECT p_at AT TIME ZONE z AS wall, to_char(p_at AT TIME ZONE z, 'FMDay HH24:MI') || place_said(p_zones, z, p_at) AS said
          FROM unnest(p_zones) AS z) AS t
$$;

-- 480 as 08:00.
CREATE FUNCTION minutes_said(p_minutes int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT lpad((p_minutes / 60)::text, 2, '0') || ':' || lpad((p_minutes % 60)::text, 2, '0')
$$;

-- The sources that are the contact's own word, which nobody overrides.
CREATE FUNCTION own_word(p_source text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_source IN ('contact', 'stop', 'unsubscribe', 'complaint')
$$;
GRANT EXECUTE ON FUNCTION own_word(text) TO ringside_app;

-- Whether this contact may be reached at this address by this channel at this moment, and why. Reads the current company only, writes
-- nothing. Refusals are collected, the gravest first; `overridable` says whether an admin may set all of them aside.
-- In a company that practises, what depends on time and number is only noted in facts.would_refuse.
CREATE FUNCTION decide_outreach(p_contact_id uuid, p_channel text, p_address text, p_at timestamptz,
    OUT allowed boolean, OUT code text, OUT explanation text, OUT rule_version text, OUT facts jsonb, OUT next_allowed_at timestamptz,
    OUT expires_at timestamptz, OUT overridable boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_set permit_settings := permit_settings_now();
    v_law record;
    v_word text := CASE p_channel WHEN 'call' THEN 'Calls' WHEN 'sms' THEN 'Texts' ELSE 'Email' END;
    v_codes text[] := '{}';
    v_words text[] := '{}';
    v_soft text[] := '{}';
    v_soft_words text[] := '{}';
    v_never boolean := false;
    v_sup record;
    v_consent text;
    v_zones text[];
    v_opens int[];
    v_closes int[];
    v_open_rules text[];
    v_close_rules text[];
    v_quiet date[] := '{}';
    v_holidays date[] := '{}';
    v_shut date[] := '{}';
    v_open_at timestamptz;
    v_closes_at timestamptz;
    v_zone text;
    v_wall timestamp;
    v_weekday int;
    v_minute int;
    v_calls timestamptz[];
    v_caps int[];
    v_cap_hours int[];
    v_cap_rules text[];
    v_free_at timestamptz := p_at;
    v_said text;
BEGIN
    rule_version := outreach_rule_version();

    -- Whom not to reach at all.
    SELECT s.id, s.kind, s.reason, s.source INTO v_sup
    FROM unnest(ARRAY['contact', CASE WHEN p_channel = 'email' THEN 'email' ELSE 'phone' END, 'domain', 'company'],
                ARRAY[p_contact_id::text, lower(p_address), CASE WHEN p_channel = 'email' THEN lower(split_part(p_address, '@', 2)) END,
                      (SELECT trim(c.company_lc) FROM contacts c WHERE c.tenant_id = v_tenant AND c.id = p_contact_id)])
         AS w (kind, value)
    JOIN suppressions s ON s.tenant_id = v_tenant AND s.kind = w.kind AND s.value_lc = w.value
    WHERE s.channel IN ('all', p_channel) AND (s.expires_at IS NULL OR s.expires_at > p_at)
    ORDER BY own_word(s.source) DESC, s.created_at LIMIT 1;
    IF FOUND THEN
        v_never := own_word(v_sup.source);
        v_codes := v_codes || (CASE WHEN v_sup.kind = 'contact' THEN 'do_not_contact' ELSE 'suppressed' END);
        v_words := v_words || (CASE v_sup.kind
            WHEN 'contact' THEN 'This contact is not to be contacted'
            WHEN 'domain' THEN format('Addresses at %s are on the suppression list', lower(split_part(p_address, '@', 2)))
            WHEN 'company' THEN 'The company of this contact is on the suppression list'
            ELSE format('%s is on the suppression list', p_address) END
            || CASE WHEN v_never THEN ', by their own word' ELSE '' END
            || CASE WHEN v_sup.reason <> '' THEN ': ' || v_sup.reason || '.' ELSE '.' END);
    END IF;

    SELECT c.state INTO v_consent FROM consents c
    WHERE c.tenant_id = v_tenant AND c.contact_id = p_contact_id AND c.channel = p_channel;
    IF v_consent = 'denied' THEN
        v_never := true;
        v_codes := v_codes || 'consent_denied'::text;
        v_words := v_words || format('They have said that they do not want %s.', lower(v_word));
    ELSIF v_set.require_consent AND v_consent IS DISTINCT FROM 'granted' THEN
        v_codes := v_codes || 'consent_missing'::text;
        v_words := v_words || format('Your company asks for consent before %s, and there is none on record.', lower(v_word));
    END IF;

    -- An address has no place: the law's row is empty then.
    SELECT * INTO v_law FROM outreach_law(CASE WHEN p_channel = 'email' THEN '' ELSE p_address END, p_channel);
    IF p_channel <> 'email' THEN
        -- The contact's own zones are finer than the prefix's, where the number stands somewhere at all.
        SELECT n.time_zones INTO v_zones FROM contact_phones n
        WHERE n.tenant_id = v_tenant AND n.contact_id = p_contact_id AND n.e164 = p_address ORDER BY n.position LIMIT 1;
        IF cardinality(v_zones) IS NULL OR cardinality(v_zones) = 0 OR NOT coalesce(v_law.geographic, true) THEN
            v_zones := v_law.zones;
        END IF;
    END IF;
    IF p_channel <> 'email' AND cardinality(v_zones) IS NULL THEN
        v_soft := v_soft || 'no_place'::text;
        v_soft_words := v_soft_words || format('Nobody can say where %s is, so there is no telling what time it is there.', p_address);
    ELSIF p_channel <> 'email' THEN
        FOR d IN 1 .. 7 LOOP
            IF NOT coalesce(v_law.ruled, false) THEN
                v_opens[d] := v_set.abroad_start;
                v_closes[d] := CASE WHEN d = ANY (v_set.abroad_days) THEN v_set.abroad_end ELSE 0 END;
                v_open_rules[d] := 'own';
                v_close_rules[d] := 'own';
            ELSE
                v_opens[d] := coalesce(v_law.opens[d], 0);
                v_closes[d] := CASE WHEN v_law.shut_rules[d] IS NULL THEN coalesce(v_law.closes[d], 1440) ELSE 0 END;
                v_open_rules[d] := v_law.open_rules[d];
                v_close_rules[d] := coalesce(v_law.shut_rules[d], v_law.close_rules[d]);
            END IF;
            IF v_set.hours_start > v_opens[d] THEN
                v_opens[d] := v_set.hours_start;
                v_open_rules[d] := 'own';
            END IF;
            IF v_closes[d] > 0 AND v_set.hours_end < v_closes[d] THEN
                v_closes[d] := v_set.hours_end;
                v_close_rules[d] := 'own';
            END IF;
            IF v_closes[d] > 0 AND d <> ALL (v_set.days) THEN
                v_closes[d] := 0;
                v_close_rules[d] := 'own';
            END IF;
        END LOOP;
        SELECT coalesce(array_agg(q.day), '{}') INTO v_quiet FROM quiet_days q
        WHERE q.tenant_id = v_tenant AND q.day BETWEEN (p_at - interval '2 days')::date AND (p_at + interval '34 days')::date;
        IF v_law.holidays IS NOT NULL THEN
            v_holidays := coalesce(outreach_holiday_dates(v_law.holidays, (p_at - interval '2 days')::date, (p_at + interval '34 days')::date), '{}');
        END IF;
        v_shut := v_quiet || v_holidays;
        v_open_at := outreach_opens_at(v_zones, v_opens, v_closes, v_shut, p_at);
        IF v_open_at = p_at THEN
            v_closes_at := outreach_closes_at(v_zones, v_opens, v_closes, p_at);
        ELSE
            -- The first zone that is closed says why.
            FOREACH v_zone IN ARRAY v_zones LOOP
                v_wall := p_at AT TIME ZONE v_zone;
                v_weekday := extract(isodow FROM v_wall);
                v_minute := extract(hour FROM v_wall) * 60 + extract(minute FROM v_wall);
                IF v_wall::date = ANY (v_quiet) THEN
                    SELECT format('Your company keeps %s as a quiet day%s.', to_char(v_wall, 'FMDD FMMonth YYYY'),
                                  CASE WHEN q.name <> '' THEN ' (' || q.name || ')' ELSE '' END) INTO v_said
                    FROM quiet_days q WHERE q.tenant_id = v_tenant AND q.day = v_wall::date;
                    v_soft := v_soft || 'quiet_day'::text;
                ELSIF v_wall::date = ANY (v_holidays) THEN
                    v_said := format('No %s are allowed on holidays where this number is, and %s is one: %s.',
                        lower(v_word), to_char(v_wall, 'FMDay FMDD FMMonth'), outreach_holiday_said(v_law.jurisdictions, v_wall::date));
                    v_soft := v_soft || 'holiday'::text;
                ELSIF v_opens[v_weekday] >= v_closes[v_weekday] THEN
                    v_said := format('It is %s%s, and no %s are allowed on that day (%s).', to_char(v_wall, 'FMDay'), place_said(v_zones, v_zone, p_at),
                        lower(v_word), coalesce(outreach_sources(ARRAY[v_close_rules[v_weekday]]), 'your company''s setting'));
                    v_soft := v_soft || 'closed_day'::text;
                ELSIF v_minute < v_opens[v_weekday] OR v_minute >= v_closes[v_weekday] THEN
                    v_said := format('It is %s. %s to this number are allowed from %s to %s there on that day (%s).',
                        local_times(v_zones, p_at), v_word, minutes_said(v_opens[v_weekday]), minutes_said(v_closes[v_weekday]),
                        coalesce(outreach_sources(ARRAY[CASE WHEN v_minute < v_opens[v_weekday] THEN v_open_rules[v_weekday] ELSE v_close_rules[v_weekday] END]),
                                 'your company''s setting'));
                    v_soft := v_soft || 'outside_hours'::text;
                END IF;
                EXIT WHEN v_said IS NOT NULL;
            END LOOP;
            v_soft_words := v_soft_words || v_said;
        END IF;
    END IF;

    IF p_channel = 'call' THEN
        SELECT coalesce(array_agg(made.created_at ORDER BY made.created_at DESC), '{}') INTO v_calls FROM (
            SELECT k.id, k.created_at FROM calls k
            WHERE k.tenant_id = v_tenant AND k.contact_id = p_contact_id AND k.created_at > p_at - interval '7 days' AND k.created_at <= p_at
              AND k.direction = 'outbound' AND (k.asked_at IS NOT NULL OR k.state = 'queued') AND (k.state <> 'failed' OR k.answered_at IS NOT NULL)
            UNION
            SELECT k.id, k.created_at FROM calls k
            WHERE k.tenant_id = v_tenant AND k.to_number = p_address AND k.created_at > p_at - interval '7 days' AND k.created_at <= p_at
              AND k.direction = 'outbound' AND (k.asked_at IS NOT NULL OR k.state = 'queued') AND (k.state <> 'failed' OR k.answered_at IS NOT NULL)
        ) AS made;
        v_caps := v_law.caps || v_set.calls_per_contact_per_day || v_set.calls_per_contact_per_week;
        v_cap_hours := v_law.cap_hours || 24 || 168;
        v_cap_rules := v_law.cap_rules || 'own'::text || 'own'::text;
        v_said := NULL;
        FOR i IN 1 .. cardinality(v_caps) LOOP
            IF v_calls[v_caps[i]] > p_at - make_interval(hours => v_cap_hours[i])
               AND v_calls[v_caps[i]] + make_interval(hours => v_cap_hours[i]) > v_free_at THEN
                v_free_at := v_calls[v_caps[i]] + make_interval(hours => v_cap_hours[i]);
                v_said := format('They were called %s times within %s, which is the limit (%s).', v_caps[i],
                    CASE WHEN v_cap_hours[i] = 168 THEN '7 days' ELSE v_cap_hours[i] || ' hours' END,
                    coalesce(outreach_sources(ARRAY[v_cap_rules[i]]), 'your company''s setting'));
            END IF;
        END LOOP;
        IF v_said IS NOT NULL THEN
            v_soft := v_soft || 'called_too_often'::text;
            v_soft_words := v_soft_words || v_said;
        END IF;
    END IF;

    IF cardinality(v_codes) = 0 AND p_channel <> 'email' AND cardinality(v_soft) > 0 AND v_zones IS NOT NULL THEN
        next_allowed_at := outreach_opens_at(v_zones, v_opens, v_closes, v_shut, greatest(p_at, v_free_at));
    END IF;
    facts := jsonb_build_object('at', p_at, 'zones', coalesce(to_jsonb(v_zones), '[]'::jsonb),
        'jurisdictions', coalesce(to_jsonb(v_law.jurisdictions), '[]'::jsonb),
        'local', coalesce((SELECT jsonb_object_agg(z, to_char(p_at AT TIME ZONE z, 'YYYY-MM-DD HH24:MI')) FROM unnest(v_zones) AS z), '{}'::jsonb),
        'rules', coalesce((SELECT jsonb_agg(DISTINCT r) FROM unnest(v_open_rules || v_close_rules || v_cap_rules) AS r WHERE r <> 'own'), '[]'::jsonb),
        'consent', coalesce(v_consent, 'unknown'), 'calls_7_days', coalesce(cardinality(v_calls), 0),
        'open_until', v_closes_at, 'practice', v_set.practice,
        'would_refuse', CASE WHEN v_set.practice THEN to_jsonb(v_soft_words) ELSE '[]'::jsonb END);
    IF NOT v_set.practice THEN
        v_codes := v_codes || v_soft;
        v_words := v_words || v_soft_words;
    END IF;
    allowed := cardinality(v_codes) = 0;
    overridable := NOT allowed AND NOT v_never;
    facts := facts || jsonb_build_object('refusals', to_jsonb(v_codes));
    IF NOT allowed THEN
        code := v_codes[1];
        explanation := array_to_string(v_words, ' ') || CASE WHEN next_allowed_at IS NULL THEN ''
            ELSE format(' The next time is %s.', to_char(next_allowed_at AT TIME ZONE v_zones[1], 'FMDay FMDD FMMonth, HH24:MI')
                || place_said(v_zones, v_zones[1], next_allowed_at)) END;
        RETURN;
    END IF;
    next_allowed_at := NULL;
    expires_at := least(p_at + interval '5 minutes', CASE WHEN NOT v_set.practice THEN v_closes_at END);
    IF cardinality(v_soft) > 0 THEN
        code := 'allowed_in_practice';
        explanation := 'Allowed because your company practises, talking to nobody. In earnest it would be refused: ' || array_to_string(v_soft_words, ' ');
    ELSE
        code := 'allowed';
        explanation := CASE WHEN p_channel = 'email' THEN 'Nothing stands against it.'
            ELSE format('It is %s; %s are allowed until %s.', local_times(v_zones, p_at), lower(v_word),
                        to_char(v_closes_at AT TIME ZONE v_zones[1], 'HH24:MI')
                        || CASE WHEN cardinality(v_zones) > 1 THEN place_said(v_zones, v_zones[1], v_closes_at) ELSE '' END) END;
    END IF;
END $$;

GRANT EXECUTE ON FUNCTION permit_settings_now(), outreach_opens_at(text[],int[],int[],date[],timestamptz),
    outreach_closes_at(text[],int[],int[],timestamptz), zone_name(text), place_said(text[],text,timestamptz), local_times(text[],timestamptz), minutes_said(int),
    decide_outreach(uuid,text,text,timestamptz) TO ringside_app;
