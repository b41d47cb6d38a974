-- What can go wrong has a code of the vendor (2xx at Kuaidi100, 4xx at Kdniao: the same number can mean different things), a
-- canonical reason and a responsible party. The rates count each parcel once per code, reason or party.

CREATE VIEW IF NOT EXISTS {database}.exception_name
(
    `kind`            String            COMMENT 'code, reason or party',
    `vendor`          String            COMMENT 'Whose code it is; empty for reasons and parties, which both vendors share',
    `name`            String            COMMENT 'The vendor''s code, the canonical reason, or the party',
    `reason`          Nullable(String)  COMMENT 'Canonical reason behind a code; NULL for a party',
    `party`           String            COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `name_zh`         String            COMMENT 'Name in Chinese; of a code as in the vendor''s documents',
    `name_en`         String            COMMENT 'Name in English',
    `is_vendor_clock` Bool              COMMENT 'The vendor''s clock says so and no scan of the carrier: it can vanish later'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM VALUES(
    'kind String, vendor String, name String, reason Nullable(String), party String, name_zh String, name_en String, is_vendor_clock Bool',
    ('code', 'kuaidi100', '2', 'UNSPECIFIED', 'unknown', '疑难', 'Problem', false),
    ('code', 'kuaidi100', '13', 'CUSTOMS_EXCEPTION', 'customs', '清关异常', 'Customs exception', false),
    ('code', 'kuaidi100', '14', 'REFUSED', 'consignee', '拒签', 'Refused', false),
    ('code', 'kuaidi100', '201', 'DELIVERY_OVERDUE', 'carrier', '超时未签收', 'Not signed for in time', true),
    ('code', 'kuaidi100', '202', 'NO_UPDATE', 'carrier', '超时未更新', 'No update in time', true),
    ('code', 'kuaidi100', '203', 'REFUSED', 'consignee', '拒收', 'Refused by the recipient', false),
    ('code', 'kuaidi100', '204', 'DELIVERY_FAILED', 'carrier', '派件异常', 'Delivery failed', false),
    ('code', 'kuaidi100', '205', 'PICKUP_OVERDUE', 'consignee', '柜或驿站超时未取', 'Not collected from locker or station in time', true),
    ('code', 'kuaidi100', '206', 'RECIPIENT_UNREACHABLE', 'consignee', '无法联系', 'Recipient unreachable', false),
    ('code', 'kuaidi100', '207', 'OUT_OF_SERVICE_AREA', 'shipper', '超区', 'Outside the service area', false),
    ('code', 'kuaidi100', '208', 'HELD_AT_DEPOT', 'carrier', '滞留', 'Held at the depot', false),
    ('code', 'kuaidi100', '209', 'DAMAGED', 'carrier', '破损', 'Damaged', false),
    ('code', 'kuaidi100', '210', 'CANCEL_REQUESTED', 'shipper', '销单', 'Cancellation requested', false),
    ('code', 'kdniao', '4', 'UNSPECIFIED', 'unknown', '问题件', 'Problem', false),
    ('code', 'kdniao', '401', 'NO_CARRIER_INFO', 'shipper', '发货无信息', 'Shipped, no information', false),
    ('code', 'kdniao', '402', 'DELIVERY_OVERDUE', 'carrier', '超时未签收', 'Not signed for in time', true),
    ('code', 'kdniao', '403', 'NO_UPDATE', 'carrier', '超时未更新', 'No update in time', true),
    ('code', 'kdniao', '404', 'REFUSED', 'consignee', '拒收(退件)', 'Refused, going back', false),
    ('code', 'kdniao', '405', 'DELIVERY_FAILED', 'carrier', '派件异常', 'Delivery failed', false),
    ('code', 'kdniao', '412', 'PICKUP_OVERDUE', 'consignee', '柜/站超时未取', 'Not collected from locker or station in time', true),
    ('code', 'kdniao', '413', 'INTERCEPTED', 'shipper', '单号已拦截', 'Intercepted', false),
    ('code', 'kdniao', '414', 'DAMAGED', 'carrier', '破损', 'Damaged', false),
    ('code', 'kdniao', '416', 'RECIPIENT_UNREACHABLE', 'consignee', '无法联系', 'Recipient unreachable', false),
    ('code', 'kdniao', '417', 'DELAYED', 'carrier', '配送延迟', 'Delivery delayed', false),
    ('code', 'kdniao', '420', 'BAD_ADDRESS', 'shipper', '地址不详', 'Incomplete address', false),
    ('code', 'kdniao', '421', 'BAD_PHONE', 'consignee', '电话错误', 'Wrong phone number', false),
    ('code', 'kdniao', '422', 'MISSORTED', 'carrier', '错分件', 'Missorted', false),
    ('code', 'kdniao', '423', 'OUT_OF_SERVICE_AREA', 'shipper', '超区件', 'Outside the service area', false),
    ('code', 'kdniao', '604', 'CUSTOMS_EXCEPTION', 'customs', '清关异常', 'Customs exception', false),
    ('reason', '', 'BAD_ADDRESS', 'BAD_ADDRESS', 'shipper', '地址不详', 'Incomplete address', false),
    ('reason', '', 'BAD_PHONE', 'BAD_PHONE', 'consignee', '电话错误', 'Wrong phone number', false),
    ('reason', '', 'CANCEL_REQUESTED', 'CANCEL_REQUESTED', 'shipper', '销单', 'Cancellation requested', false),
    ('reason', '', 'CUSTOMS_EXCEPTION', 'CUSTOMS_EXCEPTION', 'customs', '清关异常', 'Customs exception', false),
    ('reason', '', 'DAMAGED', 'DAMAGED', 'carrier', '破损', 'Damaged', false),
    ('reason', '', 'DELAYED', 'DELAYED', 'carrier', '配送延迟', 'Delivery delayed', false),
    ('reason', '', 'DELIVERY_FAILED', 'DELIVERY_FAILED', 'carrier', '派件异常', 'Delivery failed', false),
    ('reason', '', 'DELIVERY_OVERDUE', 'DELIVERY_OVERDUE', 'carrier', '超时未签收', 'Not signed for in time', true),
    ('reason', '', 'HELD_AT_DEPOT', 'HELD_AT_DEPOT', 'carrier', '滞留', 'Held at the depot', false),
    ('reason', '', 'INTERCEPTED', 'INTERCEPTED', 'shipper', '已拦截', 'Intercepted', false),
    ('reason', '', 'MISSORTED', 'MISSORTED', 'carrier', '错分件', 'Missorted', false),
    ('reason', '', 'NO_CARRIER_INFO', 'NO_CARRIER_INFO', 'shipper', '发货无信息', 'Shipped, no information', false),
    ('reason', '', 'NO_UPDATE', 'NO_UPDATE', 'carrier', '超时未更新', 'No update in time', true),
    ('reason', '', 'OUT_OF_SERVICE_AREA', 'OUT_OF_SERVICE_AREA', 'shipper', '超区', 'Outside the service area', false),
    ('reason', '', 'PICKUP_OVERDUE', 'PICKUP_OVERDUE', 'consignee', '柜或驿站超时未取', 'Not collected from locker or station in time', true),
    ('reason', '', 'RECIPIENT_UNREACHABLE', 'RECIPIENT_UNREACHABLE', 'consignee', '无法联系', 'Recipient unreachable', false),
    ('reason', '', 'REFUSED', 'REFUSED', 'consignee', '拒收', 'Refused by the recipient', false),
    ('reason', '', 'UNSPECIFIED', 'UNSPECIFIED', 'unknown', '疑难', 'Problem', false),
    ('party', '', 'carrier', NULL, 'carrier', '快递公司', 'Carrier', false),
    ('party', '', 'consignee', NULL, 'consignee', '收件人', 'Consignee', false),
    ('party', '', 'shipper', NULL, 'shipper', '寄件人', 'Shipper', false),
    ('party', '', 'customs', NULL, 'customs', '海关', 'Customs', false),
    ('party', '', 'unknown', NULL, 'unknown', '未知', 'Unknown', false))
COMMENT 'Names of the exception codes, reasons and parties';

CREATE VIEW IF NOT EXISTS {database}.parcel_exception
(
    `vendor`              LowCardinality(String)  COMMENT 'kuaidi100 or kdniao',
    `carrier`             LowCardinality(String)  COMMENT 'Canonical carrier code',
    `tracking_number`     String                  COMMENT 'The carrier''s parcel number',
    `epoch`               Date                    COMMENT 'Epoch of the shipment',
    `received_month`      LowCardinality(String)  COMMENT 'Month of first_received_at, yyyyMM, UTC: the partition of shipment. A condition on it spares the reading of other months',
    `kind`                LowCardinality(String)  COMMENT 'code, reason or party',
    `name`                LowCardinality(String)  COMMENT 'The vendor''s code, the canonical reason, or the party',
    `began_at`            DateTime('UTC')         COMMENT 'First event of it; UTC',
    `resolved_at`         Nullable(DateTime('UTC')) COMMENT 'First later event of a known status that is no exception, or the return to the sender; UTC. NULL = not resolved'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    -- Status EXCEPTION, and the refusals that vendors file as returns.
    arrayMap((status, sub_status) -> status = 'EXCEPTION' OR ifNull(sub_status = 'REFUSED', false), event.status, event.sub_status) AS event_is_exception,
    -- For each event the time of the next one that ends an exception; 0 = none. A refusal that is the return itself (Kuaidi100 14) ends
    -- what it is. Events dated later than their push are in no figure (rule 28), neither as a beginning nor as an end.
    arrayReverseFill(
        time -> time != 0,
        arrayMap(
            (time, status, is_exception) -> if(is_exception AND status != 'RETURNED' OR status = 'UNKNOWN' OR time > received_at + INTERVAL 10 MINUTE, toUInt32(0), toUInt32(time)),
            event.occurred_at, event.status, event_is_exception)) AS event_ended_at,
    arrayFilter(
        i -> event_is_exception[i] AND event.occurred_at[i] <= received_at + INTERVAL 10 MINUTE,
        arrayEnumerate(event.id)) AS exceptions,
    arrayConcat(
        arrayMap(i -> ('code', ifNull(event.raw_code[i], ''), i), exceptions),
        arrayMap(i -> ('reason', ifNull(event.sub_status[i], ''), i), exceptions),
        arrayMap(i -> ('party', transform(ifNull(event.sub_status[i], ''), ['DELIVERY_OVERDUE', 'NO_UPDATE', 'HELD_AT_DEPOT', 'DELIVERY_FAILED', 'DAMAGED', 'DELAYED', 'MISSORTED', 'REFUSED', 'PICKUP_OVERDUE', 'RECIPIENT_UNREACHABLE', 'BAD_PHONE', 'OUT_OF_SERVICE_AREA', 'CANCEL_REQUESTED', 'NO_CARRIER_INFO', 'BAD_ADDRESS', 'INTERCEPTED', 'CUSTOMS_EXCEPTION', 'UNSPECIFIED'], ['carrier', 'carrier', 'carrier', 'carrier', 'carrier', 'carrier', 'carrier', 'consignee', 'consignee', 'consignee', 'consignee', 'shipper', 'shipper', 'shipper', 'shipper', 'shipper', 'customs', 'unknown'], 'unknown'), i), exceptions)) AS mentions,
    arrayMap(mention -> (mention.1, mention.2), mentions) AS subjects,
    -- The first event of each.
    arrayJoin(arrayFilter(
        (mention, place, subject) -> subject.2 != '' AND indexOf(subjects, subject) = place,
        mentions, arrayEnumerate(mentions), subjects)) AS first_mention
SELECT
    vendor,
    carrier,
    tracking_number,
    epoch,
    _partition_id AS received_month,
    first_mention.1 AS kind,
    first_mention.2 AS name,
    event.occurred_at[first_mention.3] AS began_at,
    if(event_ended_at[first_mention.3] = 0, NULL, toDateTime(event_ended_at[first_mention.3], 'UTC')) AS resolved_at
FROM {database}.shipment FINAL
WHERE tracking_state != 'CARRIER_CORRECTED' AND (notEmpty(exception_codes) OR notEmpty(exception_reasons))
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'Every parcel once per exception code, reason and party: when it began and when it was over';
