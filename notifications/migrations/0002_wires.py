# What became of each message, receipts, replies, and browsers that show messages.

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DeliveryEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('handing', 'Being handed over'), ('sent', 'Handed over'), ('failed', 'Not handed over'), ('unsure', 'Outcome unknown'), ('dead', 'Given up'), ('retried', 'Tried again by a person'), ('on_its_way', 'On its way, says the provider'), ('delivered', 'Delivered, says the provider'), ('bounced', 'Bounced, says the provider')], max_length=12)),
                ('detail', models.CharField(blank=True, max_length=300)),
                ('receipt', models.CharField(blank=True, max_length=80)),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Inbound',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider_id', models.CharField(max_length=80, unique=True)),
                ('channel', models.CharField(default='sms', max_length=16)),
                ('sender', models.CharField(max_length=254)),
                ('words', models.TextField()),
                ('at', models.DateTimeField()),
                ('heard_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='PushSubscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('holder', models.CharField(max_length=40)),
                ('endpoint', models.TextField()),
                ('p256dh', models.CharField(max_length=120)),
                ('auth', models.CharField(max_length=40)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_because', models.CharField(blank=True, max_length=80)),
            ],
        ),
        migrations.RemoveIndex(
            model_name='delivery',
            name='deliveries_due',
        ),
        migrations.AddField(
            model_name='delivery',
            name='bounced_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='delivered_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='handing_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='path',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AddField(
            model_name='delivery',
            name='provider_id',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AddField(
            model_name='delivery',
            name='repeatable',
            field=models.BooleanField(db_default=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='state',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(bounced_at__isnull=False, then=models.Value('bounced')), models.When(delivered_at__isnull=False, then=models.Value('delivered')), models.When(dead_at__isnull=False, then=models.Value('dead')), models.When(sent_at__isnull=False, then=models.Value('sent')), models.When(handing_at__isnull=False, then=models.Value('unknown')), default=models.Value('queued')), output_field=models.CharField(choices=[('queued', 'Queued'), ('unknown', 'Outcome unknown'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('bounced', 'Bounced'), ('dead', 'Not sent')], max_length=16)),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('priority'), models.F('due_at'), models.F('id'), condition=models.Q(('dead_at', None), ('handing_at', None), ('sent_at', None)), name='deliveries_to_send'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('channel'), models.F('priority'), models.F('due_at'), models.F('id'), condition=models.Q(('dead_at', None), ('handing_at', None), ('sent_at', None)), name='deliveries_of_channel'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['clinic_id', '-created_at', '-id'], name='deliveries_of_clinic'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['clinic_id', 'state', '-created_at', '-id'], name='deliveries_by_state'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('provider_id'), condition=models.Q(('provider_id', ''), _negated=True), name='deliveries_at_provider'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('channel'), models.F('address'), condition=models.Q(('delivered_at__isnull', False), ('bounced_at__isnull', False), _connector='OR'), name='deliveries_with_receipt'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('handing_at', None), ('repeatable', False), _connector='OR'), name='delivery_marked_only_when_unrepeatable'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('sent_at', None), ('repeatable', True), ('handing_at__isnull', False), _connector='OR'), name='delivery_unrepeatable_marked_before_sent'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bounced_at', None), ('delivered_at', None)), ('sent_at__isnull', False), _connector='OR'), name='delivery_receipt_means_sent'),
        ),
        migrations.AddField(
            model_name='deliveryevent',
            name='delivery',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='notifications.delivery'),
        ),
        migrations.AddIndex(
            model_name='inbound',
            index=models.Index(models.F('at'), condition=models.Q(('heard_at', None)), name='inbound_unheard'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='inbound',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='60506bc3420734635f0960c9f02ad88a02213496', operation='DELETE', pgid='pgtrigger_no_delete_8fef2', table='notifications_inbound', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='pushsubscription',
            index=models.Index(models.F('holder'), condition=models.Q(('ended_at', None)), name='push_of_holder'),
        ),
        migrations.AddConstraint(
            model_name='pushsubscription',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('endpoint',), name='one_live_push_a_browser'),
        ),
        migrations.AddConstraint(
            model_name='pushsubscription',
            constraint=models.CheckConstraint(condition=models.Q(('endpoint__startswith', 'http')), name='push_endpoint_is_an_address'),
        ),
        migrations.AddConstraint(
            model_name='pushsubscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_because', '')), models.Q(('ended_at__isnull', False), models.Q(('ended_because', ''), _negated=True)), _connector='OR'), name='push_ended_with_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pushsubscription',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='aa9fb42ad6494aa4cf411269f6fac23c70b925b4', operation='DELETE', pgid='pgtrigger_no_delete_f495f', table='notifications_pushsubscription', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='deliveryevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['handing', 'sent', 'failed', 'unsure', 'dead', 'retried', 'on_its_way', 'delivered', 'bounced'])), name='delivery_event_known'),
        ),
        migrations.AddConstraint(
            model_name='deliveryevent',
            constraint=models.UniqueConstraint(condition=models.Q(('receipt', ''), _negated=True), fields=('delivery', 'receipt'), name='one_line_a_receipt'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deliveryevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='69acc0cf1e4154cee22df57ddf018d569d25e69c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_18d0e', table='notifications_deliveryevent', when='BEFORE')),
        ),
    ]
