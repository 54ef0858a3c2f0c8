// What an operator must hear of. Nothing fires on a single error.
param location string
param tags object
param operatorEmail string
param insightsId string
param storageId string
param busId string

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(operatorEmail)) {
  name: 'ag-omium'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'omium'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: operatorEmail, useCommonAlertSchema: true }]
  }
}

var actions = empty(operatorEmail) ? [] : [{ actionGroupId: operators.id }]

// Queries over the traces: message texts of Omium's own log lines, with the ids that its sources give them.
var queries = [
  {
    name: 'executions-set-aside'
    severity: 1
    text: 'An execution was set aside: deciding about it failed. It needs a person.'
    query: 'traces | where customDimensions.EventId == "2001" or message has "is set aside"'
    threshold: 0
  }
  {
    name: 'lifecycle-held'
    severity: 2
    text: 'Lifecycle events are held back: Service Bus does not take them.'
    query: 'traces | where customDimensions.EventId == "3001" or message has "are held back and will be sent again"'
    threshold: 20
  }
  {
    name: 'requests-failing'
    severity: 1
    text: 'More than 20 requests in a quarter of an hour were answered 5xx.'
    query: 'requests | where toint(resultCode) >= 500'
    threshold: 20
  }
]

resource fromTraces 'Microsoft.Insights/scheduledQueryRules@2023-03-15-preview' = [
  for alert in queries: {
    name: 'omium-${alert.name}'
    location: location
    tags: tags
    properties: {
      displayName: 'Omium: ${alert.name}'
      description: alert.text
      severity: alert.severity
      enabled: true
      scopes: [insightsId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [{ query: alert.query, timeAggregation: 'Count', operator: 'GreaterThan', threshold: alert.threshold }]
      }
      actions: { actionGroups: empty(operatorEmail) ? [] : [operators.id] }
    }
  }
]

resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'omium-storage-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'The storage account refuses requests because they are too many.'
    severity: 2
    enabled: true
    scopes: [storageId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'throttled'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'Transactions'
          dimensions: [{ name: 'ResponseType', operator: 'Include', values: ['ServerBusyError', 'ClientThrottlingError', 'ClientAccountRequestThrottlingError'] }]
          operator: 'GreaterThan'
          threshold: 100
          timeAggregation: 'Total'
        }
      ]
    }
    actions: actions
  }
}

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'omium-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'Messages that could not be handled were put aside: a start that fails each time, or a consumer that does.'
    severity: 2
    enabled: true
    scopes: [busId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead-letters'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DeadletteredMessages'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Maximum'
        }
      ]
    }
    actions: actions
  }
}
