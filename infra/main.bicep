// Everything that Omium needs in a subscription, in one resource group. `azd up` builds both services and deploys them into it.
targetScope = 'subscription'

@minLength(1)
@maxLength(30)
@description('Name of the environment; part of every name.')
param environmentName string

@description('Region. It must offer Flex Consumption.')
param location string

@description('Region of the static web app, which is a global service with few home regions.')
@allowed(['westus2', 'centralus', 'eastus2', 'westeurope', 'eastasia'])
param webLocation string = 'westeurope'

@description('Who is told by e-mail when an alert fires; empty = nobody.')
param operatorEmail string = ''

@secure()
@description('32 random bytes in base64 that wrap the data keys of all executions (`openssl rand -base64 32`). Empty = keep the one in the vault. Whoever loses it loses every stored body.')
param masterKey string = ''

@description('Address of the model endpoint before /chat/completions, for example https://NAME.openai.azure.com/openai/v1; empty = OpenAI, when there is a key.')
param modelBaseUrl string = ''

@description('Model that agents use which name none.')
param modelName string = ''

@description('The model endpoint takes a key, and it is in the vault.')
param useModelKey bool = false

@secure()
@description('Key of the model endpoint. Empty = keep the one in the vault.')
param modelApiKey string = ''

@description('Whoever finds the console may open an account with a tenant of its own; false = by invitation only.')
param isSignUpOpen bool = true

@description('What executions use is metered in credits.')
param isMetered bool = true

@allowed(['sandbox', 'pay_as_you_go', 'starter', 'professional', 'enterprise'])
@description('Plan of a tenant that has none yet. Sandbox counts and refuses nobody: an installation for people of one\'s own.')
param billingPlan string = 'sandbox'

@minValue(0)
@maxValue(1000000000)
@description('Credits that a tenant begins with; 1,000 are one USD.')
param welcomeCredits int = 20000

@description('Tokens of models are charged by the price table, because the endpoint is the operator\'s own account.')
param isModelMetered bool = false

@description('Credits are sold through Stripe, and its keys are in the vault.')
param useStripe bool = false

@secure()
@description('Secret or restricted key of the Stripe account. Empty = keep the one in the vault.')
param stripeApiKey string = ''

@secure()
@description('Signing secret of the webhook endpoint; two, separated by a comma, while one replaces the other. Empty = keep what is in the vault.')
param stripeWebhookSecrets string = ''

@description('Durable Task Scheduler as the backend of Durable Functions instead of the storage account.')
param useTaskScheduler bool = false

@description('A virtual network with private endpoints; storage, vault and bus are then closed to the public network.')
param usePrivateNetwork bool = false

@minValue(1)
@maxValue(1000)
@description('Most instances of the Functions app.')
param instancesMax int = 40

@allowed([512, 2048, 4096])
@description('Memory of an instance, MB.')
param instanceMemoryMB int = 2048

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-omium-${token}', location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { token: token, location: location, tags: tags }
}

module network 'modules/network.bicep' = if (usePrivateNetwork) {
  name: 'network'
  scope: group
  params: { token: token, location: location, tags: tags }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: { name: 'st${token}', location: location, tags: tags, isPrivate: usePrivateNetwork }
}

module bus 'modules/servicebus.bicep' = {
  name: 'servicebus'
  scope: group
  params: { name: 'sb-omium-${token}', location: location, tags: tags, isPrivate: usePrivateNetwork }
}

module vault 'modules/keyvault.bicep' = {
  name: 'keyvault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    isPrivate: usePrivateNetwork
    masterKey: masterKey
    modelApiKey: modelApiKey
    stripeApiKey: stripeApiKey
    stripeWebhookSecrets: stripeWebhookSecrets
  }
}

module endpoints 'modules/endpoints.bicep' = if (usePrivateNetwork) {
  name: 'endpoints'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    networkId: network.?outputs.networkId ?? ''
    endpointSubnetId: network.?outputs.endpointSubnetId ?? ''
    storageId: storage.outputs.id
    busId: bus.outputs.id
    vaultId: vault.outputs.id
  }
}

module scheduler 'modules/scheduler.bicep' = if (useTaskScheduler) {
  name: 'scheduler'
  scope: group
  params: { token: token, location: location, tags: tags, principalId: identity.outputs.principalId }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    busName: bus.outputs.name
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module web 'modules/staticwebapp.bicep' = {
  name: 'staticwebapp'
  scope: group
  params: { name: 'stapp-omium-${token}', location: webLocation, tags: tags }
}

module api 'modules/functions.bicep' = {
  name: 'functions'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    deploymentContainer: storage.outputs.deploymentContainer
    busHost: bus.outputs.host
    topicName: bus.outputs.topicName
    startQueueName: bus.outputs.startQueueName
    masterKeyUri: vault.outputs.masterKeyUri
    modelBaseUrl: modelBaseUrl
    modelName: modelName
    modelApiKeyUri: useModelKey ? vault.outputs.modelApiKeyUri : ''
    stripeApiKeyUri: useStripe ? vault.outputs.stripeApiKeyUri : ''
    stripeWebhookSecretsUri: useStripe ? vault.outputs.stripeWebhookSecretsUri : ''
    isSignUpOpen: isSignUpOpen
    isMetered: isMetered
    billingPlan: billingPlan
    welcomeCredits: welcomeCredits
    isModelMetered: isModelMetered
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    taskSchedulerEndpoint: scheduler.?outputs.endpoint ?? ''
    taskHubName: scheduler.?outputs.taskHubName ?? ''
    subnetId: network.?outputs.functionsSubnetId ?? ''
    consoleOrigin: web.outputs.origin
    instancesMax: instancesMax
    instanceMemoryMB: instanceMemoryMB
  }
  dependsOn: [roles]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    operatorEmail: operatorEmail
    insightsId: monitoring.outputs.insightsId
    storageId: storage.outputs.id
    busId: bus.outputs.id
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output OMIUM_BASE_URL string = api.outputs.origin
output OMIUM_CONSOLE_URL string = web.outputs.origin
