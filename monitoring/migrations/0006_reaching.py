# How staff are told: their telephones, browsers and webhooks, and what they wish for each severity.

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

REACH = """
CREATE VIEW monitoring_reach AS
WITH wished AS NOT MATERIALIZED (
    SELECT s.id AS staff_id, s.email, v.severity, coalesce(w.channels, ARRAY['email']::varchar[]) AS channels
    FROM patients_staff s
    CROSS JOIN (VALUES (1::smallint), (2::smallint), (3::smallint), (4::smallint)) AS v (severity)
    LEFT JOIN monitoring_wish w ON w.staff_id = s.id AND w.severity = v.severity
), live AS NOT MATERIALIZED (
    SELECT w.staff_id, w.channel, coalesce(p.id::varchar, w.address) AS address
    FROM monitoring_way w LEFT JOIN notifications_pushsubscription p ON p.id = w.subscription_id
    WHERE w.confirmed_at IS NOT NULL AND w.ended_at IS NULL AND p.ended_at IS NULL
), told AS (
    SELECT wished.staff_id, severity, channel, address
    FROM wished JOIN live ON live.staff_id = wished.staff_id AND live.channel = ANY (wished.channels)
    UNION ALL
    SELECT staff_id, severity, 'email', email FROM wished
    WHERE email <> '' AND ('email' = ANY (channels) OR (cardinality(channels) > 0 AND NOT EXISTS (
        SELECT FROM live WHERE live.staff_id = wished.staff_id AND live.channel = ANY (wished.channels)
    )))
)
SELECT concat_ws(':', staff_id, severity, channel, address) AS key, staff_id, severity, channel, address FROM told
"""


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0005_protocol_change'),
        ('notifications', '0002_wires'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Reach',
            fields=[
                ('key', models.CharField(max_length=300, primary_key=True, serialize=False)),
                ('severity', models.SmallIntegerField()),
                ('channel', models.CharField(max_length=16)),
                ('address', models.CharField(max_length=254)),
            ],
            options={
                'db_table': 'monitoring_reach',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Wish',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('severity', models.SmallIntegerField(choices=[(1, 'Severe'), (2, 'Moderate'), (3, 'Mild'), (4, 'Routine')])),
                ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None)),
                ('changed_at', models.DateTimeField()),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='wishes', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Way',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('sms', 'SMS'), ('webpush', 'Browser notification'), ('webhook', 'Webhook (Slack, Teams, pager)')], max_length=16)),
                ('address', models.CharField(blank=True, max_length=254)),
                ('label', models.CharField(max_length=80)),
                ('added_at', models.DateTimeField()),
                ('code_hash', models.CharField(blank=True, max_length=64)),
                ('code_sent_at', models.DateTimeField(null=True)),
                ('tries', models.SmallIntegerField(default=0)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_because', models.CharField(blank=True, max_length=80)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ways', to=settings.AUTH_USER_MODEL)),
                ('subscription', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='notifications.pushsubscription')),
            ],
            options={
                'indexes': [models.Index(models.F('staff'), condition=models.Q(('ended_at', None)), name='ways_standing')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('address', ''), ('channel', 'webpush'), ('subscription__isnull', False)), models.Q(('channel__in', ['sms', 'webhook']), ('subscription', None), models.Q(('address', ''), _negated=True)), _connector='OR'), name='way_leads_somewhere'), models.UniqueConstraint(condition=models.Q(('confirmed_at__isnull', False), ('ended_at', None), models.Q(('channel', 'webpush'), _negated=True)), fields=('staff', 'channel'), name='one_live_way_a_channel'), models.UniqueConstraint(condition=models.Q(('confirmed_at', None), ('ended_at', None), models.Q(('channel', 'webpush'), _negated=True)), fields=('staff', 'channel'), name='one_way_to_confirm_a_channel'), models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('subscription',), name='one_standing_way_a_browser'), models.CheckConstraint(condition=models.Q(('tries__gte', 0), ('tries__lte', 5)), name='way_code_tries_bounded'), models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('code_hash', ''), _connector='OR'), name='way_code_is_spent_when_confirmed'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_because', '')), models.Q(('ended_at__isnull', False), models.Q(('ended_because', ''), _negated=True)), _connector='OR'), name='way_ended_with_a_reason')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='way',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='8bbeddedc22916bc2db4a106141aaf00df270681', operation='DELETE', pgid='pgtrigger_no_delete_44f78', table='monitoring_way', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='wish',
            constraint=models.UniqueConstraint(fields=('staff', 'severity'), name='one_wish_a_severity'),
        ),
        migrations.AddConstraint(
            model_name='wish',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', [1, 2, 3, 4])), name='wish_severity_known'),
        ),
        migrations.AddConstraint(
            model_name='wish',
            constraint=models.CheckConstraint(condition=models.Q(('channels__contained_by', ['email', 'sms', 'webpush', 'webhook'])), name='wish_channels_known'),
        ),
        migrations.AddConstraint(
            model_name='wish',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('severity', 1), _negated=True), ('channels__len__gt', 0), _connector='OR'), name='severe_is_never_switched_off'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='wish',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0e0ac84207015b1bb6810013994229371bd0b74a', operation='DELETE', pgid='pgtrigger_no_delete_fd463', table='monitoring_wish', when='BEFORE')),
        ),
        migrations.RunSQL(REACH, "DROP VIEW monitoring_reach"),
    ]
