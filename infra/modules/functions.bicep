// The Functions app on a Flex Consumption plan. Every setting that the program reads stands here; none is a secret.
param token string
param location string
param tags object
param identityId string
param identityClientId string
param storageName string
param deploymentContainer string
param busHost string
param topicName string
param startQueueName string
param masterKeyUri string
param modelBaseUrl string
param modelName string
param modelApiKeyUri string
param stripeApiKeyUri string
param stripeWebhookSecretsUri string
param isSignUpOpen bool
param isMetered bool
param billingPlan string
param welcomeCredits int
param isModelMetered bool
param insightsConnectionString string
param taskSchedulerEndpoint string
param taskHubName string
param subnetId string
param consoleOrigin string
param instancesMax int
param instanceMemoryMB int

// host.json names the storage account as the backend of Durable Functions; these override it.
var schedulerSettings = empty(taskSchedulerEndpoint)
  ? {}
  : {
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${taskSchedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
    }

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-omium-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-omium-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainer
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        maximumInstanceCount: instancesMax
        instanceMemoryMB: instanceMemoryMB
        triggers: { http: { perInstanceConcurrency: 64 } }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: { allowedOrigins: [consoleOrigin], supportCredentials: false }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(schedulerSettings, {
      AzureWebJobsStorage__accountName: storageName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AzureWebJobsFeatureFlags: 'EnableWorkerIndexing'
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      AZURE_CLIENT_ID: identityClientId
      ServiceBus__fullyQualifiedNamespace: busHost
      ServiceBus__credential: 'managedidentity'
      ServiceBus__clientId: identityClientId
      OMIUM_STORAGE_ACCOUNT: storageName
      OMIUM_SERVICE_BUS_ADDRESS: 'https://${busHost}'
      OMIUM_LIFECYCLE_TOPIC: topicName
      OMIUM_START_QUEUE: startQueueName
      OMIUM_MASTER_KEY: '@Microsoft.KeyVault(SecretUri=${masterKeyUri})'
      OMIUM_MODEL_BASE_URL: modelBaseUrl
      OMIUM_MODEL_NAME: modelName
      OMIUM_MODEL_API_KEY: empty(modelApiKeyUri) ? '' : '@Microsoft.KeyVault(SecretUri=${modelApiKeyUri})'
      OMIUM_STRIPE_API_KEY: empty(stripeApiKeyUri) ? '' : '@Microsoft.KeyVault(SecretUri=${stripeApiKeyUri})'
      OMIUM_STRIPE_WEBHOOK_SECRETS: empty(stripeWebhookSecretsUri) ? '' : '@Microsoft.KeyVault(SecretUri=${stripeWebhookSecretsUri})'
      OMIUM_SIGN_UP: isSignUpOpen ? 'true' : 'false'
      OMIUM_BILLING: isMetered ? 'on' : 'off'
      OMIUM_BILLING_PLAN: billingPlan
      OMIUM_BILLING_WELCOME_CREDITS: string(welcomeCredits)
      OMIUM_BILLING_MODEL: isModelMetered ? 'metered' : 'own'
      OMIUM_CONSOLE_ORIGIN: consoleOrigin
      TASKHUB_NAME: empty(taskHubName) ? 'omium' : taskHubName
    })
  }
}

output origin string = 'https://${app.properties.defaultHostName}'
